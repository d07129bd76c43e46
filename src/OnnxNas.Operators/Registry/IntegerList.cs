using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators;

/// <summary>A list of integers (axes, pads, starts) that is an attribute in old versions of an operator and an input in newer ones.</summary>
internal sealed class IntegerList
{
    private readonly long[]? attribute;
    private readonly int input;

    private IntegerList(long[]? attribute, int input)
    {
        this.attribute = attribute;
        this.input = input;
    }

    /// <summary>The attribute below version <paramref name="inputSince"/>, the input from it on.</summary>
    public static IntegerList Read(NodeReader node, string attribute, int input, int inputSince) =>
        node.Version < inputSince ? new(node.Ints(attribute), -1) : new(null, node.HasInput(input) ? input : -1);

    /// <summary>A list this version of the operator does not have.</summary>
    public static IntegerList None { get; } = new(null, -1);

    /// <summary>A list of numbers known from an attribute.</summary>
    public static IntegerList Fixed(params long[] values) => new(values, -1);

    /// <summary>Whether the node gives the list.</summary>
    public bool IsGiven => attribute is not null || input >= 0;

    /// <summary>The entries, perhaps symbolic or unknown; null where even their number is open. Check <see cref="IsGiven"/> first.</summary>
    public IReadOnlyList<Dim>? Infer(InferenceContext context) =>
        attribute is not null ? [.. attribute.Select(Dim.Known)] : input < 0 ? null : KnownElements.VectorOf(context, input);

    /// <summary>The entries as numbers; null where one is not known.</summary>
    public long[]? Numbers(InferenceContext context) =>
        attribute ?? (input >= 0 ? KnownElements.Numbers(context, input) : null);

    /// <summary>The entries in a run; null where the node does not give the list.</summary>
    public long[]? Run(IReadOnlyList<Tensor?> inputs) => attribute ?? (input >= 0 ? inputs[input]?.ToInt64s() : null);
}
