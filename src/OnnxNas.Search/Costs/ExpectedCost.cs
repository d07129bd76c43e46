using OnnxNas.Search.Choices;
using static TorchSharp.torch;

namespace OnnxNas.Search.Costs;

/// <summary>
/// The cost of a supernet whose choices are taken at random, as a tensor that carries gradients to the probabilities:
/// E = Σ cost · Π p over the decisions that a part of the model stands under, so that nested choices multiply and markers of one label count as one
/// decision. For a single choice E = Σ p_k F_k, and through the softmax ∂E/∂α_i = p_i (F_i − E).
/// </summary>
/// <remarks>
/// Exact where a part lives under a chain of decisions on LayerChoices, InputChoices of one input, or free gates. An approximation in two cases, in which it is never
/// less than the true expectation of the first kind: a part that only dies by several decisions together (a node of a cell that no edge happens to read, a tensor
/// read in two candidates) counts as living under the decisions that all its readers share; and an InputChoice of n > 1 inputs
/// selects input k with probability min(1, n·p_k), independently of the others. Gates are free to be all shut, though one is open in every architecture: where they are all
/// likely to be shut, the cost is that of less.
/// </remarks>
public sealed class ExpectedCost
{
    private readonly SearchSpace space;
    private readonly int[] offsets;
    private readonly long[] factors;
    private readonly double[] costs;
    private readonly int depth;

    /// <summary>Prepares the sum over the parts of a cost.</summary>
    public ExpectedCost(CostTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        space = table.Space;
        offsets = new int[space.Choices.Count + 1];
        for (var i = 0; i < space.Choices.Count; i++)
            offsets[i + 1] = offsets[i] + space.Choices[i].Candidates.Count;
        var sums = new OrderedDictionary<string, (long[] Factors, double Cost)>();
        foreach (var (groups, value) in table.Shares)
        {
            var chain = ChainOf(table.Liveness, groups).Select(d => (long)offsets[d.Choice] + d.Candidate).Order().ToArray();
            var key = string.Join(',', chain);
            sums[key] = (chain, value + (sums.TryGetValue(key, out var known) ? known.Cost : 0));
        }

        // Chains are filled up with the one behind all probabilities.
        depth = Math.Max(1, sums.Values.Max(s => s.Factors.Length));
        costs = [.. sums.Values.Select(s => s.Cost)];
        factors = [.. sums.Values.SelectMany(s => s.Factors.Concat(Enumerable.Repeat((long)offsets[^1], depth - s.Factors.Length)))];
    }

    /// <summary>The expected cost, a scalar of the probabilities' type.</summary>
    /// <param name="probabilities">
    /// A vector for every choice: the softmax over its candidates, or for an InputChoice of any number of inputs the gates' probabilities to be open.
    /// </param>
    public Tensor Of(Func<Choice, Tensor> probabilities)
    {
        ArgumentNullException.ThrowIfNull(probabilities);
        if (space.Choices.Count == 0)
            return tensor(costs.Sum());
        using var scope = NewDisposeScope();
        var selected = space.Choices.Select(c => Selected(c, probabilities(c))).ToList();
        var (type, device) = (selected[0].dtype, selected[0].device);
        var all = cat([.. selected, ones([1], type, device)], 0);
        var products = all.index_select(0, tensor(factors, device: device)).view(costs.Length, depth).prod(1);
        return products.dot(tensor(costs, type, device)).MoveToOuterDisposeScope();
    }

    private static Tensor Selected(Choice choice, Tensor p) => choice is InputChoice { ChosenCount: > 1 and var count }
        ? minimum(p * tensor((double)count, p.dtype, p.device), ones_like(p))
        : p;

    private static IEnumerable<(int Choice, int Candidate)> ChainOf(Liveness liveness, IReadOnlyList<int> groups)
    {
        if (groups.Count == 0)
            return [];
        return groups.Skip(1).Aggregate(liveness.Chain(groups[0]).AsEnumerable(), (all, g) => all.Where(liveness.Chain(g).Contains).ToList());
    }
}
