using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Unsqueeze, all versions: inserts axes of extent 1, counted in the output. Axes are an attribute, from 13 on an input.</summary>
internal sealed class Unsqueeze : NamedOperator
{
    private readonly IntegerList axes;

    private Unsqueeze(NodeReader node) : base(node, node.Version < 13 ? 1 : 2, node.Version < 13 ? 1 : 2)
    {
        axes = IntegerList.Read(node, "axes", 1, 13);
        if (!axes.IsGiven)
            throw node.Malformed("attribute 'axes' is missing; the operator needs it.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var x = context.Input(0);
        if (x.Shape is not { } shape)
            return UnknownShape(x.Element);
        if (axes.Numbers(context) is { } numbers)
            return Output(x.Element, Insert([.. shape], Dim.Known(1), numbers), x.Elements);
        return axes.Infer(context) is { } some ? Output(x.Element, KnownElements.Unknown(shape.Rank + some.Count), x.Elements) : UnknownShape(x.Element);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) =>
        [inputs[0]!.reshape(Insert(inputs[0]!.shape, 1L, axes.Run(inputs)!))];

    private T[] Insert<T>(T[] extents, T one, long[] at)
    {
        var inserted = Axes(at, extents.Length + at.Length);
        var result = new T[extents.Length + at.Length];
        var next = 0;
        for (var i = 0; i < result.Length; i++)
            result[i] = inserted.Contains(i) ? one : extents[next++];
        return result;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Unsqueeze", [1, 11, 13, 21, 23, 24, 25], node => new Unsqueeze(node)) { Ranges = [new(1, 0, 0)], Types = TypeSets.All }];
    }
}
