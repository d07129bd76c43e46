using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Expand, versions 8 and 13: broadcasts a tensor with a shape; the result may be larger than that shape.</summary>
internal sealed class Expand(NodeReader node) : NamedOperator(node, 2, 2)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape || KnownElements.VectorOf(context, 1) is not { } target)
            return UnknownShape(data.Element);
        if (target.Any(d => d.ValueOrNull < 0))
            throw Error($"shape [{string.Join(',', target)}] holds a negative extent.");
        var result = Broadcasting.Combine(shape, new Shape(target)) ?? throw Error($"{shape} does not expand to [{string.Join(',', target)}]; extents must be equal or 1.");
        var elements = data.Elements is { Count: 1 } one && result.Size().ValueOrNull is >= 0 and <= KnownElements.Limit and { } count
            ? Enumerable.Repeat(one[0], (int)count).ToList()
            : result.Equals(shape) ? data.Elements : null;
        return Output(data.Element, result, elements);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (shape, target) = (inputs[0]!.shape, inputs[1]!.ToInt64s());
        if (target.Any(d => d < 0) || !Broadcasting.Fits(shape, target))
            throw Error($"[{string.Join(',', shape)}] does not expand to [{string.Join(',', target)}]; extents must be equal or 1.");
        var result = new long[Math.Max(shape.Length, target.Length)];
        for (var i = 1; i <= result.Length; i++)
            result[^i] = i > shape.Length ? target[^i] : i > target.Length || target[^i] == 1 ? shape[^i] : target[^i];
        return [inputs[0]!.expand(Countable(result))];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Expand", [8, 13], node => new Expand(node)) { Ranges = [new(1, 1, 1)], Types = TypeSets.All }];
    }
}
