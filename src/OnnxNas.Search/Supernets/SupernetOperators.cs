using OnnxNas.Operators;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Supernets;

/// <summary>The private operators a supernet is built of, beside those of ai.onnx and the markers.</summary>
public static class SupernetOperators
{
    /// <summary>The domain of operators that exist only while a supernet runs; never written to a file.</summary>
    public const string Domain = "org.onnxnas.supernet";

    /// <summary>ai.onnx, markers and decided choices.</summary>
    public static OperatorRegistry Registry { get; } = With([]);

    /// <summary>The registry of a supernet with these modules.</summary>
    internal static OperatorRegistry With(IReadOnlyList<ChoiceModule> modules) => new(
    [
        .. OperatorRegistry.FamiliesOf(typeof(OperatorRegistry).Assembly),
        new MarkerOperators(),
        new SelectOperator.Family(),
        new MixOperator.Family(),
        new ModuleOperators(modules),
    ]);
}
