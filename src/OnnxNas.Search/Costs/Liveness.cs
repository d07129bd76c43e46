using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Costs;

/// <summary>One way that keeps a group of nodes alive: a live group reads it; a marker does so only where <paramref name="Candidate"/> of its choice is chosen.</summary>
/// <param name="Group">The group that reads.</param>
/// <param name="Choice">The position of the choice in the space, or −1 for a read without condition.</param>
/// <param name="Candidate">Which candidate is read.</param>
internal readonly record struct LiveRead(int Group, int Choice, int Candidate);

/// <summary>
/// Which nodes an architecture needs, exactly: those it reaches from the outputs, where a marker reads its chosen inputs only. Nodes that always live
/// and die together are one group, so that an architecture is a handful of steps even in a large graph. What is zero whatever happens
/// (the candidate "none" as Mul(x, 0)) needs nothing, as pruning does away with it. What becomes zero by a decision alone (an edge that reads a node all of
/// whose own edges are "none") counts as needed, though pruning may find less to do: a cost is never less than the pruned model's.
/// </summary>
internal sealed class Liveness
{
    // Each group of nodes lists the decisions that it stands under. Spaces of the literature nest a handful deep.
    private const int DeepestNesting = 200;

    private readonly SearchSpace space;
    private readonly Dictionary<Node, int> groupOf = [];
    private readonly List<IReadOnlyList<LiveRead>> reads = [[]];
    private readonly List<IReadOnlySet<(int Choice, int Candidate)>> chains = [new HashSet<(int, int)>()];
    private readonly List<List<Node>> nodes = [[]];

    /// <summary>Groups the nodes of a space's model. Types must have been inferred.</summary>
    public Liveness(SearchSpace space)
    {
        this.space = space;
        var graph = space.Model.Graph;
        TrainingDecision.Ensure(space.Model, SupernetOperators.Registry);
        var zeros = ZeroValues.Of(space.Model);
        var choiceOf = space.Choices.SelectMany((c, i) => c.Nodes.Select(n => (n, i))).ToDictionary(p => p.n, p => p.i);
        var known = new Dictionary<string, int>();
        var readers = new Dictionary<Node, HashSet<LiveRead>>();
        foreach (var output in graph.Outputs)
            Note(output, new(0, -1, 0));
        for (var node = graph.Last; node is not null; node = node.Previous)
        {
            if (!readers.TryGetValue(node, out var all) || Simplify(all) is not { Count: > 0 } ways)
                continue;
            var group = Group(ways, known);
            groupOf[node] = group;
            nodes[group].Add(node);
            if (choiceOf.TryGetValue(node, out var choice))
            {
                for (var k = 0; k < node.Inputs.Count; k++)
                    Note(node.Inputs[k]!, new(group, choice, k));
                continue;
            }

            foreach (var read in Graph.Reads(node))
                Note(read, new(group, -1, 0));
        }

        foreach (var members in nodes)
            members.Reverse();

        void Note(Value value, LiveRead read)
        {
            if (value.Producer is not { } maker || zeros.Contains(value))
                return;
            if (!readers.TryGetValue(maker, out var set))
                readers[maker] = set = [];
            set.Add(read);
        }
    }

    /// <summary>Number of groups. Group 0 always lives.</summary>
    public int Count => reads.Count;

    /// <summary>The nodes of a group, in order of execution.</summary>
    public IReadOnlyList<Node> Nodes(int group) => nodes[group];

    /// <summary>The group of a node, or −1 where no architecture needs it.</summary>
    public int GroupOf(Node node) => groupOf.GetValueOrDefault(node, -1);

    /// <summary>
    /// The decisions a group stands under: all of them must be taken for it to live. They suffice, too, unless the group dies only by several decisions together.
    /// </summary>
    public IReadOnlySet<(int Choice, int Candidate)> Chain(int group) => chains[group];

    /// <summary>Which groups live.</summary>
    public bool[] Of(IReadOnlyDictionary<string, IReadOnlyList<int>> selection)
    {
        var chosen = new bool[space.Choices.Count][];
        for (var i = 0; i < chosen.Length; i++)
        {
            chosen[i] = new bool[space.Choices[i].Candidates.Count];
            foreach (var k in selection[space.Choices[i].Label])
                chosen[i][k] = true;
        }

        var live = new bool[Count];
        live[0] = true;
        for (var group = 1; group < live.Length; group++)
        {
            foreach (var read in reads[group])
            {
                if (live[read.Group] && (read.Choice < 0 || chosen[read.Choice][read.Candidate]))
                {
                    live[group] = true;
                    break;
                }
            }
        }

        return live;
    }

    /// <summary>The architecture of the same network whose choices that are not made take their first candidates: one for each network.</summary>
    public Architecture Canonical(Architecture architecture)
    {
        var live = Of(architecture.Selections);
        var first = Architecture.First(space);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => (IsLive(c, live) ? architecture : first)[c.Label]));
    }

    /// <summary>Whether a choice is made at all: one of its markers lives.</summary>
    public bool IsLive(Choice choice, bool[] live) => choice.Nodes.Any(n => GroupOf(n) is >= 0 and var group && live[group]);

    /// <summary>For every choice, in the order of the space, the positions of those that say whether it is made at all.</summary>
    public IReadOnlyList<IReadOnlySet<int>> Deciders()
    {
        var groups = new List<HashSet<int>>();
        foreach (var ways in reads)
            groups.Add([.. ways.SelectMany(r => r.Choice < 0 ? groups[r.Group] : groups[r.Group].Append(r.Choice))]);
        return [.. space.Choices.Select(c => c.Nodes.Select(GroupOf).Where(g => g >= 0).SelectMany(g => groups[g]).ToHashSet())];
    }

    // A read under a decision that its reader stands under already has no condition left, or cannot happen. A reader that reads so many inputs
    // of one choice that it cannot leave all of them out has none either.
    private HashSet<LiveRead> Simplify(HashSet<LiveRead> all)
    {
        var ways = new HashSet<LiveRead>();
        foreach (var read in all)
        {
            if (read.Choice < 0 || chains[read.Group].Contains((read.Choice, read.Candidate)))
                ways.Add(new(read.Group, -1, 0));
            else if (!(IsSingle(read.Choice) && chains[read.Group].Any(d => d.Choice == read.Choice)))
                ways.Add(read);
        }

        foreach (var together in ways.Where(r => r.Choice >= 0).GroupBy(r => (r.Group, r.Choice)).ToList())
        {
            var choice = space.Choices[together.Key.Choice];
            if (together.Count() > choice.Candidates.Count - Math.Max(1, (choice as InputChoice)?.ChosenCount ?? 1))
                ways.Add(new(together.Key.Group, -1, 0));
        }

        ways.RemoveWhere(r => r.Choice >= 0 && ways.Contains(new(r.Group, -1, 0)));
        return ways.Contains(new(0, -1, 0)) ? [new(0, -1, 0)] : ways;
    }

    private bool IsSingle(int choice) => space.Choices[choice] is LayerChoice or InputChoice { ChosenCount: 1 };

    private int Group(HashSet<LiveRead> ways, Dictionary<string, int> known)
    {
        var ordered = ways.OrderBy(r => r.Group).ThenBy(r => r.Choice).ThenBy(r => r.Candidate).ToList();
        if (ordered is [{ Choice: < 0 } only])
            return only.Group;
        var key = string.Join(';', ordered);
        if (known.TryGetValue(key, out var group))
            return group;
        HashSet<(int, int)>? chain = null;
        foreach (var read in ordered)
        {
            var through = read.Choice < 0 ? chains[read.Group] : chains[read.Group].Append((read.Choice, read.Candidate));
            if (chain is null)
                chain = [.. through];
            else
                chain.IntersectWith(through);
        }

        if (chain!.Count > DeepestNesting)
            throw new ChoiceException($"Choices nest deeper than {DeepestNesting} levels, one in a candidate of another. Put them side by side.");
        known[key] = group = reads.Count;
        reads.Add(ordered);
        chains.Add(chain);
        nodes.Add([]);
        return group;
    }
}
