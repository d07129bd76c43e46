using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Search.Objectives;

/// <summary>Where an axis goes through operators that only move elements.</summary>
internal sealed class AxisFlow(InferenceResult types)
{
    /// <summary>Whether the operator puts the elements of its first input into another shape or order, and does nothing else.</summary>
    public static bool IsMovement(Node node) => node is { Domain: "", OpType: "Transpose" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" };

    /// <summary>The axis of the output that an axis of the first input becomes; null where it is joined with others, split, or not known.</summary>
    public int? Through(Node node, int axis)
    {
        if (types[node.Inputs[0]!].Shape is not { } from || types[node.Output].Shape is not { } to || axis >= from.Rank)
            return null;
        return node.OpType == "Transpose" ? Array.IndexOf(Order(node, from.Rank), axis) : Kept(from, to, axis);
    }

    private static int[] Order(Node node, int rank) =>
        node.Attribute("perm")?.AsInts() is { } perm ? [.. perm.Select(p => (int)p)] : [.. Enumerable.Range(0, rank).Reverse()];

    // Elements keep their order: an axis is the same where it is as long, and what lies inside it or outside it is as much.
    private static int? Kept(Shape from, Shape to, int axis)
    {
        for (var at = 0; at < to.Rank; at++)
        {
            if (to[at].Equals(from[axis]) && (Size(to.Skip(at + 1)).Equals(Size(from.Skip(axis + 1))) || Size(to.Take(at)).Equals(Size(from.Take(axis)))))
                return at;
        }

        return null;

        static Dim Size(IEnumerable<Dim> dims) => dims.Aggregate(Dim.Known(1), (a, b) => a * b);
    }
}
