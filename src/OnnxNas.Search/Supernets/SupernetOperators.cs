using OnnxNas.Ir;
using OnnxNas.Operators;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Supernets;

/// <summary>The private operators a supernet is built of, beside those of ai.onnx and the markers.</summary>
public static class SupernetOperators
{
    /// <summary>The domain of operators that exist only while a supernet runs; never written to a file.</summary>
    public const string Domain = "org.onnxnas.supernet";

    /// <summary>Refuses a model from a file that has such operators: their attributes mean something in the supernet only that made them.</summary>
    /// <exception cref="ModelFormatException">It has one.</exception>
    public static void RequireNone(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var graphs = new Stack<Graph>(model.Functions.Select(f => f.Body).Prepend(model.Graph));
        while (graphs.TryPop(out var graph))
        {
            foreach (var node in graph.Nodes)
            {
                if (node.Domain == Domain)
                    throw new ModelFormatException($"{node} is of domain '{Domain}', which files cannot use. Replace the node.");
                foreach (var inner in node.Subgraphs)
                    graphs.Push(inner);
            }
        }
    }

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
