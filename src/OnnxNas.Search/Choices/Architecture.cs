using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>
/// A decision for every choice of a space: indices of the chosen candidates, by label. As a file:
/// <c>{"label": "candidate", "inputlabel": ["0","2"]}</c>.
/// </summary>
public sealed class Architecture : IEquatable<Architecture>
{
    private static readonly JsonWriterOptions Json = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly OrderedDictionary<string, IReadOnlyList<int>> selections = [];
    private readonly SearchSpace space;

    /// <summary>An architecture of a space.</summary>
    /// <exception cref="ChoiceException">A label is missing or unknown, or a selection does not fit its choice.</exception>
    public Architecture(SearchSpace space, IReadOnlyDictionary<string, IReadOnlyList<int>> selections)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(selections);
        this.space = space;
        foreach (var label in selections.Keys)
            _ = space[label];
        foreach (var choice in space.Choices)
        {
            if (!selections.TryGetValue(choice.Label, out var selection))
                throw new ChoiceException($"The architecture decides nothing for choice '{choice.Label}'; give one of {string.Join(", ", choice.Candidates)}.");
            choice.Validate(selection);
            this.selections[choice.Label] = [.. selection];
        }
    }

    /// <summary>The chosen indices by label, in the order of the space.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<int>> Selections => selections;

    /// <summary>The chosen indices of a label.</summary>
    public IReadOnlyList<int> this[string label] => selections[label];

    /// <summary>The first candidate of every choice, or the first n.</summary>
    public static Architecture First(SearchSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => (IReadOnlyList<int>)[.. Enumerable.Range(0, c is InputChoice i ? Math.Max(1, i.ChosenCount) : 1)]));
    }

    /// <summary>
    /// The architecture that scores prefer: for a LayerChoice the highest, for an InputChoice the n highest, or, where any number may be chosen, those
    /// above <paramref name="threshold"/> and at least the highest. Of equal scores the first wins.
    /// </summary>
    /// <param name="space">The space.</param>
    /// <param name="scores">One number a candidate.</param>
    /// <param name="threshold">What a score must exceed where any number of inputs may be chosen.</param>
    public static Architecture FromScores(SearchSpace space, Func<Choice, IEnumerable<double>> scores, double threshold = 0.5)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(scores);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => Highest(c, [.. scores(c)], threshold)));
    }

    /// <summary>The selection of one choice that scores prefer, as <see cref="FromScores"/> has it.</summary>
    public static IReadOnlyList<int> Highest(Choice choice, IReadOnlyList<double> scores, double threshold = 0.5)
    {
        ArgumentNullException.ThrowIfNull(scores);
        var wanted = choice is InputChoice input
            ? input.ChosenCount > 0 ? input.ChosenCount : Math.Max(1, scores.Count(s => s > threshold))
            : 1;
        return [.. Enumerable.Range(0, scores.Count).OrderByDescending(k => scores[k]).Take(wanted).Order()];
    }

    /// <summary>A uniformly drawn architecture.</summary>
    public static Architecture Random(SearchSpace space, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(random);
        return new(space, space.Choices.ToDictionary(c => c.Label, c => (IReadOnlyList<int>)Draw(c, random)));
    }

    /// <summary>Reads an architecture file.</summary>
    /// <exception cref="ChoiceException">It is no JSON object of labels to candidates, or does not fit the space.</exception>
    public static Architecture Parse(SearchSpace space, string json)
    {
        ArgumentNullException.ThrowIfNull(space);
        var selections = new Dictionary<string, IReadOnlyList<int>>();
        try
        {
            using var document = JsonDocument.Parse(json);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                var choice = space[property.Name];
                var names = property.Value.ValueKind == JsonValueKind.Array
                    ? property.Value.EnumerateArray().Select(e => e.GetString()!)
                    : [property.Value.GetString()!];
                if (!selections.TryAdd(choice.Label, [.. names.Select(n => IndexOf(choice, n)).Order()]))
                    throw new ChoiceException($"The architecture decides choice '{choice.Label}' twice.");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ChoiceException("The architecture is no JSON object of the form {\"label\": \"candidate\", \"inputlabel\": [\"0\", \"2\"]}.", e);
        }

        return new(space, selections);
    }

    /// <summary>The text of an architecture file.</summary>
    public string ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, Json))
        {
            json.WriteStartObject();
            foreach (var (label, names) in ToNames())
            {
                json.WritePropertyName(label);
                if (names is string[] inputs)
                    WriteArray(json, inputs);
                else
                    json.WriteStringValue((string)names);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length) + "\n";
    }

    /// <summary>Candidate names by label: a string for a LayerChoice, a list for an InputChoice.</summary>
    public IReadOnlyDictionary<string, object> ToNames()
    {
        var names = new OrderedDictionary<string, object>();
        foreach (var (label, selection) in selections)
        {
            var choice = space[label];
            names[label] = choice is LayerChoice ? choice.Candidates[selection[0]] : selection.Select(i => choice.Candidates[i]).ToArray();
        }

        return names;
    }

    private static void WriteArray(Utf8JsonWriter json, string[] texts)
    {
        json.WriteStartArray();
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    /// <summary>Equal decisions.</summary>
    public bool Equals(Architecture? other) => other is not null && ToString() == other.ToString();

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Architecture);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary><c>edge_0_1=conv3x3 skip=0,2</c>.</summary>
    public override string ToString() =>
        string.Join(' ', selections.Select(s => $"{s.Key}={string.Join(',', s.Value.Select(i => space[s.Key].Candidates[i]))}"));

    private static int[] Draw(Choice choice, SeededRandom random)
    {
        if (choice is LayerChoice)
            return [random.NextInt(choice.Candidates.Count)];
        var wanted = ((InputChoice)choice).ChosenCount;
        if (wanted > 0)
        {
            var order = Enumerable.Range(0, choice.Candidates.Count).ToArray();
            random.Shuffle<int>(order);
            return [.. order.Take(wanted).Order()];
        }

        // Any number, at least one: redraw the one empty subset.
        while (true)
        {
            int[] subset = [.. Enumerable.Range(0, choice.Candidates.Count).Where(_ => random.NextInt(2) == 1)];
            if (subset.Length > 0)
                return subset;
        }
    }

    private static int IndexOf(Choice choice, string name)
    {
        for (var i = 0; i < choice.Candidates.Count; i++)
        {
            if (choice.Candidates[i] == name)
                return i;
        }

        throw new ChoiceException($"Choice '{choice.Label}' has no candidate '{name}'; its candidates are {string.Join(", ", choice.Candidates)}.");
    }
}
