using OnnxNas.Operators.Elementwise;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Writes rows into a copy of a tensor, with the reductions of ScatterElements and ScatterND.</summary>
internal static class ScatterRows
{
    /// <summary>Reads and checks the attribute <c>reduction</c>.</summary>
    public static string Reduction(NodeReader node)
    {
        var reduction = node.Version >= 16 ? node.String("reduction", "none") : "none";
        return reduction is "none" or "add" or "mul" || node.Version >= 18 && reduction is "max" or "min"
            ? reduction
            : throw node.Unsupported($"reduction '{reduction}' is not one of none, add, mul, and max and min from version 18 on.");
    }

    /// <summary>Data <c>[rows, ...]</c> with updates <c>[n, ...]</c> written or folded into the rows that index <c>[n]</c> says.</summary>
    public static Tensor Apply(Tensor data, Tensor index, Tensor updates, string reduction)
    {
        if (index.numel() == 0)
            return data;
        if (WideUnsigned.Is(data))
        {
            var wraps = reduction is not ("max" or "min");
            return WideUnsigned.Narrowed(Apply(WideUnsigned.Widened(data, wraps), index, WideUnsigned.Widened(updates, wraps), reduction), data);
        }

        if (reduction == "add" && data.dtype != ScalarType.Bool)
            return data.index_add(0, index, updates, Scalars.One);
        if (reduction == "none")
            return data.index_copy(0, index, updates);
        // A row hit several times takes one update per round.
        var result = data;
        foreach (var round in Rounds(index))
        {
            var places = tensor(round, device: index.device);
            var rows = index.index_select(0, places);
            var (old, update) = (result.index_select(0, rows), updates.index_select(0, places));
            result = result.index_copy(0, rows, reduction switch
            {
                "add" => old.logical_or(update),
                "mul" => old * update,
                "max" => maximum(old, update),
                _ => minimum(old, update),
            });
        }

        return result;
    }

    private static IEnumerable<long[]> Rounds(Tensor index)
    {
        var hits = new Dictionary<long, int>();
        return index.ToInt64s()
            .Select((row, place) => (Round: hits[row] = hits.GetValueOrDefault(row) + 1, Place: (long)place))
            .GroupBy(p => p.Round, p => p.Place)
            .OrderBy(g => g.Key)
            .Select(g => g.ToArray());
    }
}
