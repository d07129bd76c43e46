using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>ConstantOfShape, all versions: a tensor of a given shape filled with one value, the float 0 where none is given.</summary>
internal sealed class ConstantOfShape : NamedOperator
{
    private readonly TensorData value;

    private ConstantOfShape(NodeReader node) : base(node, 1, 1)
    {
        value = node.Tensor("value") ?? TensorData.Scalar(0f);
        if (value.ElementCount != 1)
            throw node.Malformed($"value {value} must hold one element.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (KnownElements.VectorOf(context, 0) is not { } shape)
            return UnknownShape(value.Type);
        if (shape.Any(d => d.ValueOrNull < 0))
            throw Error($"shape [{string.Join(',', shape)}] holds a negative extent.");
        var result = new Shape(shape);
        var elements = KnownElements.Of(value) is { } one && result.Size().ValueOrNull is <= KnownElements.Limit and { } count
            ? Enumerable.Repeat(one[0], (int)count).ToList()
            : null;
        return Output(value.Type, result, elements);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var shape = inputs[0]!.ToInt64s();
        if (shape.Any(d => d < 0))
            throw Error($"shape [{string.Join(',', shape)}] holds a negative extent.");
        return [value.ToTorch(inputs[0]!.device).reshape([.. shape.Select(_ => 1L)]).expand(Countable(shape))];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("ConstantOfShape", [9, 20, 21, 23, 24, 25], node => new ConstantOfShape(node)) { Ranges = [new(0, 1, 4)], Types = TypeSets.All, Gradient = Gradient.None("depends on the shape only") },
        ];
    }
}
