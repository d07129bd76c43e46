using Microsoft.ML.OnnxRuntime;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>An input or output as the model declares it. Free extents are symbols or unknown; a null shape means no tensor.</summary>
public sealed record TensorInfo(string Name, ElementType Type, Shape? Shape)
{
    internal static TensorInfo Of(string name, NodeMetadata metadata) => metadata.IsTensor
        ? new(name, (ElementType)metadata.ElementDataType, new Shape(metadata.Dimensions.Select((extent, i) => Extent(extent, metadata.SymbolicDimensions[i]))))
        : new(name, ElementType.Undefined, null);

    private static Dim Extent(int extent, string symbol) =>
        extent >= 0 ? extent : symbol.Length > 0 ? Dim.Parse(symbol) : Dim.Unknown();

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Type}{Shape?.ToString() ?? ""}";
}
