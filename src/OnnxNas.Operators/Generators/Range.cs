using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>
/// Range, versions 11 and 27: the numbers from start to before limit in steps of delta. <c>stash_type</c> of version 27 is the least precision
/// that floating-point numbers are computed in: float64 stays float64.
/// </summary>
internal sealed class Range(NodeReader node) : NamedOperator(node, 3, 3)
{
    private readonly ElementType? stash = node.Version < 27 ? null : LayerNormalization.Stash(node);

    public override bool PassesGradient(int input) => input != 1;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (KnownElements.Of(context, 0) is [var start] && KnownElements.Of(context, 1) is [var limit] && KnownElements.Of(context, 2) is [{ IsKnown: true } step])
            return Integers(element, start, limit, step.Value);
        if (context.Constant(0) is { ElementCount: 1 } a && context.Constant(1) is { ElementCount: 1 } b && context.Constant(2) is { ElementCount: 1 } c)
            return Output(element, [Count(a.ToDoubles()[0], b.ToDoubles()[0], c.ToDoubles()[0])]);
        return Output(element, KnownElements.Unknown(1));
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (inputs.Any(i => i!.numel() != 1))
            throw Error("start, limit and delta must be one number each.");
        var (start, limit, delta) = (inputs[0]!.reshape([]), inputs[1]!.reshape([]), inputs[2]!.reshape([]));
        var count = start.is_floating_point()
            ? Count(start.to(ScalarType.Float64).item<double>(), limit.to(ScalarType.Float64).item<double>(), delta.to(ScalarType.Float64).item<double>())
            : Count(start.ToInt64s()[0], limit.ToInt64s()[0], delta.ToInt64s()[0]);
        var working = stash is { } type && start.is_floating_point() ? LayerNormalization.Working(start.dtype, type) : start.dtype;
        return [start.to(working).Plus(TensorArithmetic.Arange(count, start.device).to(working) * delta.to(working)).to(start.dtype)];
    }

    private IReadOnlyList<InferredValue?> Integers(ElementType element, Dim start, Dim limit, long step)
    {
        if (start.IsKnown && limit.IsKnown)
        {
            var count = Count(start.Value, limit.Value, step);
            var elements = count <= KnownElements.Limit ? Enumerable.Range(0, (int)count).Select(i => start + i * step).ToList() : null;
            return Output(element, [count], elements);
        }

        if (step == 0)
            throw Error("delta is 0.");
        // A symbolic range is taken to run forwards, as that of a sequence length does.
        return Output(element, [step > 0 ? Dim.CeilDiv(limit - start, step) : Dim.CeilDiv(start - limit, -step)]);
    }

    private long Count(long start, long limit, long delta)
    {
        if (delta == 0)
            throw Error("delta is 0.");
        var span = (Int128)limit - start;
        var count = span / delta + (span % delta == 0 ? 0 : span > 0 == delta > 0 ? 1 : 0);
        return Limited(count < 0 ? 0 : (double)count);
    }

    private long Count(double start, double limit, double delta) =>
        delta == 0 ? throw Error("delta is 0.") : Limited(Math.Max(0, Math.Ceiling((limit - start) / delta)));

    private long Limited(double count) => count <= int.MaxValue ? (long)count : throw Error($"the range would have {count} elements.");

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Range", [11, 27], node => new Range(node)) { Ranges = [new(0, 0, 0, true), new(1, 4, 8, true), new(2, 1, 2, true)], Types = [ElementType.Int16, ElementType.Int32, ElementType.Int64, .. TypeSets.Floats] },
        ];
    }
}
