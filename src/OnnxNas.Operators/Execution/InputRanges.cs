using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators.Execution;

/// <summary>Finds the inputs of a model that act as sizes, steps, counts, axes or divisors somewhere in it.</summary>
public static class InputRanges
{
    // Operators whose first input, or all of whose inputs, come out again with the same numbers.
    private static readonly HashSet<string> Movements =
        ["Identity", "Cast", "CastLike", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand", "Tile", "Gather", "Concat", "Max", "Min"];

    private static readonly HashSet<string> Joins = ["Concat", "Max", "Min"];

    /// <summary>By name, the numbers that such inputs of the main graph can be tried with.</summary>
    public static IReadOnlyDictionary<string, ValueRange> Of(Model model, OperatorRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(registry);
        var found = new Dictionary<string, ValueRange>(StringComparer.Ordinal);
        Visit(model.Graph);
        return found;

        void Visit(Graph graph)
        {
            foreach (var node in graph.Nodes)
            {
                foreach (var range in registry.Ranges(node))
                {
                    foreach (var source in Sources(node.Input(range.Input)))
                        found[source.Name] = found.TryGetValue(source.Name, out var other) ? Both(other, range.Values) : range.Values;
                }

                foreach (var inner in node.Subgraphs)
                    Visit(inner);
            }
        }

        HashSet<Value> Sources(Value? value)
        {
            var (sources, seen, open) = (new HashSet<Value>(), new HashSet<Value>(), new Stack<Value?>([value]));
            while (open.TryPop(out var next))
            {
                if (next is null || !seen.Add(next))
                    continue;
                if (next is { IsInput: true, Initializer: null } && next.Graph == model.Graph)
                    sources.Add(next);
                if (next.Producer is not { Domain: "" } maker || !Movements.Contains(maker.OpType))
                    continue;
                foreach (var input in Joins.Contains(maker.OpType) ? maker.Inputs : maker.Inputs.Take(1))
                    open.Push(input);
            }

            return sources;
        }
    }

    // What both allow, or the first where nothing is left.
    private static ValueRange Both(ValueRange a, ValueRange b)
    {
        var both = new ValueRange(Math.Max(a.Least, b.Least), Math.Min(a.Most, b.Most), a.OfFloats || b.OfFloats);
        return both.Least <= both.Most ? both : a;
    }
}
