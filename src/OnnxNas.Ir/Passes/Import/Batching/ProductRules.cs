namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Matrix products.</summary>
internal static class ProductRules
{
    public static IEnumerable<(string Names, Action<BatchNode> Rule)> All =>
    [
        ("MatMul", MatMul),
        ("Gemm", Gemm),
        ("Einsum", Einsum),
    ];

    private static void MatMul(BatchNode node)
    {
        var ranks = new[] { node.Shape(0).Rank, node.Shape(1).Rank };
        if (ranks.Min() < 2)
        {
            Vector(node, ranks);
            return;
        }

        var rank = ranks.Max();
        BatchAxis? result = null;
        for (var i = 0; i < 2; i++)
        {
            if (node.Axis(i) is not { } axis)
                continue;
            // The axis that is summed over: the last of A, the last but one of B.
            if (axis.Axis == ranks[i] - (i == 0 ? 1 : 2))
                throw node.Mixes();
            var at = axis.At(axis.Axis + rank - ranks[i]);
            if (result is { } other && (other.Axis != at.Axis || !other.HasLayoutOf(at) || at.Axis >= rank - 2))
                throw node.Mixes();
            result = at;
        }

        if (result!.Value.Axis < rank - 2)
        {
            for (var i = 0; i < 2; i++)
            {
                if (node.Axis(i) is null && result.Value.Axis - (rank - ranks[i]) is >= 0 and var at)
                    node.Fit(i, result.Value.At(at));
            }
        }

        node.SetAll(result.Value);
    }

    // x[..,K] · v[K]; a vector itself has no axis for the batch.
    private static void Vector(BatchNode node, int[] ranks)
    {
        var axis = node.Only(0);
        if (ranks[1] != 1 || axis.Axis == ranks[0] - 1)
            throw node.Mixes();
        node.SetAll(axis);
    }

    private static void Gemm(BatchNode node)
    {
        BatchAxis? result = null;
        for (var i = 0; i < 2; i++)
        {
            if (node.Axis(i) is not { } axis)
                continue;
            // What is left of A are its rows, of B its columns.
            var transposed = node.Node.Attribute(i == 0 ? "transA" : "transB")?.AsInt() is not (null or 0);
            if (result is not null || axis.Axis != (transposed ? 1 - i : i))
                throw node.Mixes();
            result = axis.At(i);
        }

        if (node.Node.Input(2) is not null)
        {
            if (result is not { } batch)
                throw node.Refuse("its input C alone differs from sample to sample");
            var offset = 2 - node.Shape(2).Rank;
            if (node.Axis(2) is { } axis ? axis.At(axis.Axis + offset) != batch : batch.Axis >= offset)
            {
                if (node.Axis(2) is not null)
                    throw node.Refuse("its inputs hold the samples on different axes");
                node.Fit(2, batch.At(batch.Axis - offset));
            }
        }

        node.SetAll(result!.Value);
    }

    // The batch must have one letter, which every input of samples and the result have.
    private static void Einsum(BatchNode node)
    {
        var sides = (node.Node.Attribute("equation")?.AsString() ?? "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = sides[0].Split(',');
        if (sides.Length != 2 || terms.Length != node.Node.Inputs.Count || sides[0].Contains('.', StringComparison.Ordinal))
            throw node.Refuse("its equation is not followed");
        var (letter, layout) = ('\0', default(BatchAxis));
        foreach (var i in node.Batched)
        {
            var axis = node.Axis(i)!.Value;
            if (axis.Axis >= terms[i].Length || letter != '\0' && (terms[i][axis.Axis] != letter || !axis.HasLayoutOf(layout)))
                throw node.Mixes();
            (letter, layout) = (terms[i][axis.Axis], axis);
        }

        if (sides[1].Count(l => l == letter) != 1 || terms.Any(t => t.Count(l => l == letter) > 1))
            throw node.Mixes();
        for (var i = 0; i < terms.Length; i++)
        {
            if (terms[i].Contains(letter, StringComparison.Ordinal))
                node.Grow(i, layout.At(terms[i].IndexOf(letter, StringComparison.Ordinal)));
        }

        node.SetAll(layout.At(sides[1].IndexOf(letter, StringComparison.Ordinal)));
    }
}
