using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>EyeLike, versions 9 and 22: a matrix of the input's shape with ones on diagonal <c>k</c>.</summary>
internal sealed class EyeLike : NamedOperator
{
    private readonly ElementType? type;
    private readonly long diagonal;

    private EyeLike(NodeReader node) : base(node, 1, 1)
    {
        type = node.Attribute("dtype") is { } given ? (ElementType)given.AsInt() : null;
        diagonal = node.Int("k", 0);
        if (diagonal is < int.MinValue or > int.MaxValue)
            throw node.Malformed($"k is {diagonal}; no matrix has such a diagonal.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => context.Shape(0) is { Rank: not 2 } x
        ? throw Error($"the input {x} must be a matrix.")
        : [InferredValue.Tensor(type ?? context.Element(0), context.Shape(0))];

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (x, shape) = (inputs[0]!, inputs[0]!.shape);
        if (shape.Length != 2)
            throw Error($"the input [{string.Join(',', shape)}] must be a matrix.");
        var (rows, columns) = (TensorArithmetic.Arange(shape[0], x.device).unsqueeze(1), TensorArithmetic.Arange(shape[1], x.device));
        return [rows.Plus(diagonal).eq(columns).to(type?.ToTorch() ?? x.dtype)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("EyeLike", [9, 22], node => new EyeLike(node)) { Types = TypeSets.All, Gradient = Gradient.None("depends on the shape only") }];
    }
}
