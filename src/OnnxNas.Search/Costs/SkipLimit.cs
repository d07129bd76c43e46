using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;

namespace OnnxNas.Search.Costs;

/// <summary>
/// A cap on skips (DARTS+: Liang et al. 2019): how many LayerChoices may be decided for an identity, recognised from the graph. A label counts once, however many
/// markers it has; a choice that is not made, as it stands in a candidate not chosen, does not count.
/// </summary>
internal sealed class SkipLimit(SearchSpace space, Lazy<Liveness> liveness, int most)
{
    private readonly Lazy<List<(LayerChoice Choice, bool[] IsSkip)>> choices = new(() =>
    {
        var kinds = new CandidateKinds(space);
        return [.. space.Choices.OfType<LayerChoice>().Select(c => (c, kinds[c].Select(k => k == CandidateKind.Identity).ToArray())).Where(c => c.Item2.Contains(true))];
    });

    /// <summary>How many skips an architecture has.</summary>
    public int Count(Architecture architecture) => Count(architecture.Selections, liveness.Value.Of(architecture.Selections));

    /// <summary>Whether a selection has too many.</summary>
    public bool IsExceeded(IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live) => Count(selection, live) > most;

    /// <summary>The skips that are too many, as a share of the choices that could be one.</summary>
    public double Excess(IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live) =>
        Math.Max(0, Count(selection, live) - most) / (double)Math.Max(1, choices.Value.Count);

    /// <summary><c>--max-skips 2 skips</c>.</summary>
    public override string ToString() => $"--max-skips {Text(most)}";

    /// <summary><c>1 skip</c>, <c>2 skips</c>.</summary>
    public static string Text(int count) => FormattableString.Invariant($"{count} {(count == 1 ? "skip" : "skips")}");

    private int Count(IReadOnlyDictionary<string, IReadOnlyList<int>> selection, bool[] live)
    {
        var count = 0;
        foreach (var (choice, isSkip) in choices.Value)
        {
            if (isSkip[selection[choice.Label][0]] && liveness.Value.IsLive(choice, live))
                count++;
        }

        return count;
    }
}
