using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// Softmax, LogSoftmax and Hardmax, versions 1, 11 and 13. From 13 on they work along one axis (default -1); before, the axes from
/// <c>axis</c> (default 1) on count as one.
/// </summary>
internal sealed class Softmax : NamedOperator
{
    private readonly Func<Tensor, int, Tensor> kernel;
    private readonly string op;
    private readonly long axis;
    private readonly bool flattens;

    private Softmax(NodeReader node, Func<Tensor, int, Tensor> kernel) : base(node, 1, 1)
    {
        this.kernel = kernel;
        op = node.Node.OpType;
        flattens = node.Version < 13;
        axis = node.Int("axis", flattens ? 1 : -1);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } x)
            Rules.Axis(axis, x.Rank, op, allowEnd: flattens);
        return [context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var x = inputs[0]!;
        var rank = x.dim();
        var at = Rules.Axis(axis, rank, op, allowEnd: flattens);
        if (!flattens || at == rank - 1)
            return [kernel(x, at)];
        var shape = x.shape;
        // The two extents are given in full, since -1 stands for nothing where one of them is 0.
        var rows = shape.AsSpan(0, at).ToArray().Aggregate(1L, (a, b) => a * b);
        var columns = shape.AsSpan(at).ToArray().Aggregate(1L, (a, b) => a * b);
        return [kernel(x.reshape(rows, columns), 1).reshape(shape)];
    }

    private static Tensor Hard(Tensor x, int axis)
    {
        Rules.Require(x.size(axis) > 0, () => $"Hardmax: X {x.Text()} is empty along axis {axis}.");
        var largest = x.argmax(axis, keepdim: true);
        return zeros_like(x).scatter(axis, largest, ones_like(x));
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Softmax", [1, 11, 13], node => new Softmax(node, (x, axis) => nn.functional.softmax(x, axis))),
            new("LogSoftmax", [1, 11, 13], node => new Softmax(node, (x, axis) => nn.functional.log_softmax(x, axis))),
            new("Hardmax", [1, 11, 13], node => new Softmax(node, Hard)) { Gradient = Gradient.None("is constant between steps") },
        ];
    }
}
