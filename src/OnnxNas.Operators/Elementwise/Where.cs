using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Where, versions 9 and 16: X where the condition holds, Y elsewhere; all three broadcast.</summary>
internal sealed class Where(NodeReader node) : NamedOperator(node, 3, 3)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Element(0) is not (ElementType.Bool or ElementType.Undefined))
            throw context.Error($"the condition must be bool, got {context.Element(0)}.");
        var element = context.Element(1) == ElementType.Undefined ? context.Element(2) : context.Element(1);
        return [new InferredValue(new TensorType(element, Broadcasting.Infer(context, 0, 1, 2)), Elements(context))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (Broadcasting.Extents(inputs[0]!, inputs[1]!, inputs[2]!) is null)
            throw Error(Broadcasting.Mismatch([.. inputs!]));
        if (inputs[0]!.dtype != ScalarType.Bool)
            throw Error($"the condition must be bool, got {inputs[0]!.dtype}.");
        return [WideUnsigned.Narrowed(where(inputs[0]!, WideUnsigned.Widened(inputs[1]!, wraps: true), WideUnsigned.Widened(inputs[2]!, wraps: true)), inputs[1]!)];
    }

    private static Dim[]? Elements(InferenceContext context)
    {
        if (KnownElements.Numbers(context, 0) is not { } condition || KnownElements.Of(context, 1) is not { } x || KnownElements.Of(context, 2) is not { } y)
            return null;
        var count = Math.Max(condition.Length, Math.Max(x.Count, y.Count));
        if (new[] { condition.Length, x.Count, y.Count }.Any(n => n != count && n != 1))
            return null;
        return [.. Enumerable.Range(0, count).Select(i => At(condition, i) != 0 ? At(x, i) : At(y, i))];
    }

    private static T At<T>(IReadOnlyList<T> list, int index) => list[list.Count == 1 ? 0 : index];

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Where", [9, 16], node => new Where(node)) { Types = TypeSets.All }];
    }
}
