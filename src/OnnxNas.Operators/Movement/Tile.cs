using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Tile, versions 6 and 13: repeats a tensor along each axis.</summary>
internal sealed class Tile(NodeReader node) : NamedOperator(node, 2, 2)
{
    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (data.Shape is not { } shape)
            return UnknownShape(data.Element);
        var repeats = KnownElements.VectorOf(context, 1) ?? KnownElements.Unknown(shape.Rank);
        if (repeats.Count != shape.Rank || repeats.Any(r => r.ValueOrNull < 0))
            throw Error($"repeats [{string.Join(',', repeats)}] do not fit {shape}; one number is needed for each axis, not negative.");
        return Output(data.Element, shape.Zip(repeats, (d, r) => r.ValueOrNull == 1 ? d : d * r));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (shape, repeats) = (inputs[0]!.shape, inputs[1]!.ToInt64s());
        if (repeats.Length != shape.Length || repeats.Any(r => r < 0))
            throw Error($"repeats [{string.Join(',', repeats)}] do not fit [{string.Join(',', shape)}]; one number is needed for each axis, not negative.");
        // Extents alone may overflow when multiplied.
        _ = Countable([.. shape, .. repeats]);
        return [inputs[0]!.repeat(repeats)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Tile", [6, 13], node => new Tile(node)) { Ranges = [new(1, 1, 3)], Types = TypeSets.All }];
    }
}
