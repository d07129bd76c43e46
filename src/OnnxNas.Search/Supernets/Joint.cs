using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary>Some of a node's inputs, joined the way an InputChoice joins them. One input is handed through.</summary>
internal sealed record Joint(IReadOnlyList<int> Chosen, Reduction Reduction, int Axis)
{
    /// <summary>The type of the result.</summary>
    public InferredValue Infer(InferenceContext context)
    {
        var first = context.Input(Chosen[0]);
        if (Reduction != Reduction.Concat || Chosen.Count == 1 || first.Shape is not { } shape)
            return new(first.Type);
        var axis = Axis < 0 ? Axis + shape.Rank : Axis;
        if (axis < 0 || axis >= shape.Rank)
            throw new ChoiceException($"{context.Node}: the inputs {shape} cannot be concatenated on axis {Axis}; it must lie in [{-shape.Rank},{shape.Rank - 1}].");
        var width = Chosen.Select(context.Shape).Aggregate(Dim.Known(0), (sum, s) => s is null ? Dim.Unknown() : sum + s[axis]);
        return InferredValue.Tensor(first.Element, new Shape(shape.Select((d, i) => i == axis ? width : d)));
    }

    /// <summary>Computes the chosen inputs and joins them.</summary>
    public Tensor Run(ILazyInputs inputs)
    {
        var chosen = Chosen.Select(i => inputs[i]).ToArray();
        if (chosen.Length == 1)
            return chosen[0];
        return Reduction switch
        {
            Reduction.Concat => cat(chosen, Axis),
            Reduction.Mean => chosen.Skip(1).Aggregate(chosen[0], (a, b) => a.Plus(b)).DividedBy(chosen.Length),
            _ => chosen.Skip(1).Aggregate(chosen[0], (a, b) => a.Plus(b)),
        };
    }

    /// <summary>Requires that candidates have one type and shape; for concat, the joined axis and its width apart.</summary>
    public void RequireAlike(InferenceContext context, IEnumerable<int> candidates)
    {
        InferredValue? first = null;
        var firstIndex = 0;
        foreach (var index in candidates)
        {
            var next = context.Input(index);
            if (first is null)
            {
                (first, firstIndex) = (next, index);
                continue;
            }

            if (first.Element != next.Element && first.Element != ElementType.Undefined && next.Element != ElementType.Undefined || Differ(first.Shape, next.Shape))
            {
                throw new ChoiceException(
                    $"{context.Node}: candidates {Name(context, firstIndex)} and {Name(context, index)} differ: {first.Type} and {next.Type}. " +
                    "All candidates of a choice must have one type and shape; insert a projection, expand a constant to the batch, or remove the candidate.");
            }
        }
    }

    private bool Differ(Shape? a, Shape? b)
    {
        if (a is null || b is null)
            return false;
        if (a.Rank != b.Rank)
            return true;
        var axis = Axis < 0 ? Axis + a.Rank : Axis;
        for (var i = 0; i < a.Rank; i++)
        {
            if (Reduction == Reduction.Concat && i == axis)
            {
                // Which inputs are joined is not known yet, so each must be equally wide, or the width of the result would change with the choice.
                if (a[i].IsKnown && b[i].IsKnown && a[i].Value != b[i].Value)
                    return true;
                continue;
            }

            if (a[i].IsUnknown || b[i].IsUnknown)
                continue;
            // An extent of 1 would be stretched to a symbol where the two are mixed, and not where it is chosen alone.
            if ((a[i] - b[i]).ValueOrNull is { } difference ? difference != 0 : a[i].ValueOrNull == 1 || b[i].ValueOrNull == 1)
                return true;
        }

        return false;
    }

    private static string Name(InferenceContext context, int index) =>
        context.Node.Attribute("candidates")?.AsStrings() is { } names && index < names.Count ? $"'{names[index]}'" : $"{index}";
}
