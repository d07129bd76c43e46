using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Costs;

/// <summary>The extents of a model's inputs that costs are taken at, the batch included. Inputs that are not named have those that the model declares, where a symbol counts as 1.</summary>
public sealed class InputExtents
{
    private readonly Dictionary<string, long[]> extents = [];

    private InputExtents()
    {
    }

    /// <summary>What the model declares, and no more.</summary>
    public static InputExtents Declared { get; } = new();

    /// <summary>Those of one sample of the data.</summary>
    public static InputExtents Of(Dataset samples, Graph graph)
    {
        ArgumentNullException.ThrowIfNull(samples);
        ArgumentNullException.ThrowIfNull(graph);
        var result = new InputExtents();
        foreach (var input in graph.Inputs.Where(i => samples.InputNames.Contains(i.Name)))
        {
            // A batch that the model fixes stays: it takes no other.
            var batch = input.Shape is { Rank: > 0 } shape && shape[0].IsKnown ? shape[0].Value : 1;
            result.extents[input.Name] = [batch, .. samples.SampleDims(input.Name)];
        }

        return result;
    }

    /// <summary>Reads <c>x:1x3x224x224</c>, one text an input.</summary>
    /// <exception cref="UsageException">A text is none, or names no input of the model, or one whose declared shape is another.</exception>
    public static InputExtents Parse(IEnumerable<string> texts, Graph graph)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(graph);
        var result = new InputExtents();
        foreach (var text in texts)
        {
            var at = text.LastIndexOf(':');
            var numbers = text[(at + 1)..].Split('x').Select(p => long.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? n : -1).ToArray();
            if (at <= 0 || numbers.Contains(-1))
                throw new UsageException($"'{text}' is no shape of an input; write NAME:EXTENTS, for example x:1x3x224x224.");
            var inputs = graph.Inputs.Where(i => i.Initializer is null).ToList();
            var input = inputs.FirstOrDefault(i => i.Name == text[..at])
                ?? throw new UsageException($"'{text}' names no input of the model; its inputs are {string.Join(", ", inputs.Select(i => $"'{i.Name}'"))}.");
            if (input.Shape is { } shape && (shape.Rank != numbers.Length || shape.Zip(numbers).Any(p => p.First.IsKnown && p.First.Value != p.Second)))
                throw new UsageException($"'{text}' does not fit input '{input.Name}', which the model declares as {shape}.");
            result.extents[input.Name] = numbers;
        }

        return result;
    }

    /// <summary>Symbols that count as 1, an entry an input, as sentences; the batch is not among them.</summary>
    public IReadOnlyList<string> Assumed(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var result = new List<string>();
        foreach (var input in graph.Inputs.Where(i => i.Initializer is null && !extents.ContainsKey(i.Name)))
        {
            if (input.Shape is not { } shape)
                continue;
            var batch = shape.Rank > 0 ? shape[0].Symbols() : [];
            List<string> free = [.. shape.Skip(1).SelectMany(d => d.IsUnknown ? ["an unknown extent"] : d.Symbols().Except(batch)).Distinct()];
            if (free.Count > 0)
                result.Add($"{string.Join(", ", free)} of input '{input.Name}' {shape} {(free.Count == 1 ? "counts" : "count")} as 1.");
        }

        return result;
    }

    /// <summary>The extents of an input, or null where nothing was said.</summary>
    internal IReadOnlyList<long>? Of(Value input) => extents.GetValueOrDefault(input.Name);

    /// <summary>Whether nothing was said of any input.</summary>
    internal bool IsDeclared => extents.Count == 0;

    /// <summary>Declares the inputs of a model so, and all that shares symbols with them.</summary>
    public void Declare(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var symbols = SymbolsOf(graph);
        foreach (var value in WithBodies(graph).SelectMany(g => g.Values))
        {
            if (value is { Type: TensorType type, Shape: { } shape } && shape.Any(d => !d.IsKnown))
                value.Type = type with { Shape = new Shape([.. shape.Select(d => At(d, symbols))]) };
        }

        foreach (var input in graph.Inputs.Where(i => extents.ContainsKey(i.Name)))
            input.Type = new TensorType(input.Element, Shape.Of(extents[input.Name]));
    }

    // What each symbol of the inputs stands for; one that stands for two extents says nothing.
    private Dictionary<string, long> SymbolsOf(Graph graph) => graph.Inputs
        .Where(i => i.Shape is { } shape && extents.GetValueOrDefault(i.Name)?.Length == shape.Rank)
        .SelectMany(i => i.Shape!.Zip(extents[i.Name]))
        .Where(pair => pair.First.Symbols() is [var name] && pair.First.Equals(Dim.Symbol(name)))
        .GroupBy(pair => pair.First.Symbols()[0], pair => pair.Second)
        .Where(group => group.Distinct().Count() == 1)
        .ToDictionary(group => group.Key, group => group.First());

    private static Dim At(Dim dim, Dictionary<string, long> symbols) =>
        !dim.IsKnown && !dim.IsUnknown && dim.Symbols().All(symbols.ContainsKey) && dim.Evaluate(symbols) is { } extent ? extent : dim;

    private static IEnumerable<Graph> WithBodies(Graph graph) => graph.Nodes.SelectMany(n => n.Subgraphs).SelectMany(WithBodies).Prepend(graph);
}
