using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// The architecture out of probabilities, by the rule of DARTS cells (Liu, Simonyan, Yang 2019, §2.4) where there are any: an InputChoice whose inputs are
/// LayerChoices chooses among edges, an edge is as strong as the likeliest of its candidates that is not zero, times its own probability in the InputChoice; the n strongest stay. A
/// LayerChoice that is such an edge never becomes zero; one that has nothing else is weaker than any. Every other choice takes its arg-max, or top n.
/// </summary>
internal sealed class CellDerivation
{
    private readonly SearchSpace space;
    private readonly Dictionary<string, IReadOnlyList<LayerChoice>> edges = [];
    private readonly Dictionary<string, bool[]> allowed = [];

    public CellDerivation(SearchSpace space)
    {
        this.space = space;
        var choiceOf = space.Choices.OfType<LayerChoice>().SelectMany(c => c.Nodes.Select(n => (n, c))).ToDictionary(p => p.n, p => p.c);
        foreach (var choice in space.Choices.OfType<InputChoice>().Where(c => c.ChosenCount > 0))
        {
            var sites = choice.Nodes.Select(n => n.Inputs.Select(i => i!.Producer is { } p ? choiceOf.GetValueOrDefault(p) : null).ToList()).ToList();
            if (sites[0].All(e => e is not null) && sites.All(s => s.SequenceEqual(sites[0])))
                edges[choice.Label] = [.. sites[0].Select(e => e!)];
        }

        if (edges.Count == 0)
            return;
        var kinds = new CandidateKinds(space);
        foreach (var edge in edges.Values.SelectMany(e => e).Distinct())
            allowed[edge.Label] = [.. kinds[edge].Select(k => k != CandidateKind.Zero)];
    }

    /// <summary>The architecture that probabilities prefer.</summary>
    public Architecture Derive(Func<Choice, IReadOnlyList<double>> probabilities) => Architecture.FromScores(space, c => Scores(c, probabilities));

    /// <summary>What <see cref="Derive"/> ranks a choice's candidates by: its probabilities, but for cells. Less than 0 is what the rule forbids.</summary>
    public IEnumerable<double> Scores(Choice choice, Func<Choice, IReadOnlyList<double>> probabilities)
    {
        return edges.TryGetValue(choice.Label, out var cell) ? probabilities(choice).Select((p, i) => p * OfEdge(cell[i]).Max()) : OfEdge(choice);

        IEnumerable<double> OfEdge(Choice edge) => allowed.TryGetValue(edge.Label, out var something)
            ? probabilities(edge).Select((p, k) => something[k] ? p : -1)
            : probabilities(edge);
    }
}
