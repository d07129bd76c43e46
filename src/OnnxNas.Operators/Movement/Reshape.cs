using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Reshape from version 5 on. One extent may be -1 (what is left); 0 copies the input's extent, unless <c>allowzero</c>.</summary>
internal sealed class Reshape : NamedOperator
{
    private readonly bool allowZero;

    private Reshape(NodeReader node) : base(node, 2, 2)
    {
        allowZero = node.Version >= 14 && node.Flag("allowzero", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var data = context.Input(0);
        if (context.Shape(1) is { Rank: not 1 } wrong)
            throw context.Error($"the shape input must be a vector, got {wrong}.");
        if (KnownElements.VectorOf(context, 1) is not { } target)
            return UnknownShape(data.Element);
        if (data.Shape is not { } source)
            return Output(data.Element, target.Select(d => d.IsNonNegative && (allowZero || d.ValueOrNull != 0) ? d : Dim.Unknown()), data.Elements);
        return Output(data.Element, Resolve(source, target), data.Elements);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var source = inputs[0]!.shape;
        var target = inputs[1]!.ToInt64s();
        Exception Refused() => Error($"[{string.Join(',', source)}] does not take shape [{string.Join(',', inputs[1]!.ToInt64s())}].");
        long rest = 1;
        var open = -1;
        for (var i = 0; i < target.Length; i++)
        {
            if (target[i] == 0 && !allowZero)
                target[i] = i < source.Length ? source[i] : throw Refused();
            if (target[i] < -1 || target[i] == -1 && open >= 0)
                throw Refused();
            if (target[i] == -1)
                open = i;
            else if (Math.BigMul(rest, target[i], out rest) != 0 || rest < 0)
                throw Refused();
        }

        var count = source.Aggregate(1L, (a, b) => a * b);
        if (open >= 0)
        {
            if (rest == 0 || count % rest != 0)
                throw Refused();
            target[open] = count / rest;
        }
        else if (rest != count)
        {
            throw Refused();
        }

        return [inputs[0]!.reshape(target)];
    }

    /// <summary>The extents of the result. The open one is what the others leave of the source's size, after equal extents cancel.</summary>
    private Dim[] Resolve(Shape source, IReadOnlyList<Dim> target)
    {
        Dim[] result = [.. target];
        var left = source.ToList(); // Extents of the source that no extent of the target has cancelled yet.
        var (divisor, open, uncancelled) = (Dim.Known(1), new List<int>(), false);
        var minusOne = -1;
        for (var i = 0; i < result.Length; i++)
        {
            var copied = result[i].ValueOrNull == 0 && !allowZero;
            if (copied)
                result[i] = i < source.Rank ? source[i] : throw Error($"extent {i} of shape [{string.Join(',', target)}] copies from {source}, which has no such axis.");
            if (result[i].ValueOrNull < -1 || result[i].ValueOrNull == -1 && minusOne >= 0)
                throw Error($"shape [{string.Join(',', target)}] is not allowed; one extent may be -1, the others must not be negative.");
            if (result[i].ValueOrNull == -1)
                minusOne = i;
            var at = left.FindIndex(d => copied ? ReferenceEquals(d, result[i]) : d.Equals(result[i]));
            if (at >= 0 && result[i].ValueOrNull != -1)
                left.RemoveAt(at);
            else if (result[i].IsUnknown || result[i].ValueOrNull == -1)
                open.Add(i);
            else
                divisor *= result[i];
        }

        uncancelled = left.Any(d => d.IsUnknown);
        var size = left.Aggregate(Dim.Known(1), (a, b) => a * b);
        if (open.Count == 0)
        {
            if ((size.IsKnown && divisor.IsKnown && size.Value != divisor.Value) && !HasZero(source, result))
                throw Error($"{source} does not take shape [{string.Join(',', target)}]: {source.Size()} elements, not {new Shape(result).Size()}.");
            return result;
        }

        var only = open.Count == 1 && !uncancelled && divisor.ValueOrNull != 0;
        if (only && size.IsKnown && divisor.IsKnown && size.Value % divisor.Value != 0)
            throw Error($"{source} does not take shape [{string.Join(',', target)}]: {size} is no multiple of {divisor}.");
        foreach (var i in open)
            result[i] = only ? Dim.FloorDiv(size, divisor) : Dim.Unknown();
        return result;
    }

    // A zero that cancelled on one side hides from the products of the rest.
    private static bool HasZero(Shape source, Dim[] result) =>
        source.Any(d => d.ValueOrNull == 0) && result.Any(d => d.ValueOrNull == 0);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Reshape", [5, 13, 14, 19, 21, 23, 24, 25], node => new Reshape(node)) { Ranges = [new(1, 1, 4)], Types = TypeSets.All }];
    }
}
