using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>The decisions of a marked model, in order of first appearance.</summary>
public sealed class SearchSpace
{
    private readonly Dictionary<string, Choice> byLabel;

    internal SearchSpace(Model model, IReadOnlyList<Choice> choices)
    {
        Model = model;
        Choices = choices;
        byLabel = choices.ToDictionary(c => c.Label, StringComparer.Ordinal);
    }

    /// <summary>The marked model.</summary>
    public Model Model { get; }

    /// <summary>All decisions.</summary>
    public IReadOnlyList<Choice> Choices { get; }

    /// <summary>
    /// The number of architectures: the product over all decisions. A decision nested in a candidate that is not chosen
    /// counts too, as it stands in the architecture file.
    /// </summary>
    public SpaceSize Size => Choices.Aggregate(SpaceSize.Of(1), (size, choice) => size * choice.Options);

    /// <summary>The decision of that label.</summary>
    /// <exception cref="ChoiceException">There is none.</exception>
    public Choice this[string label] => byLabel.GetValueOrDefault(label)
        ?? throw new ChoiceException($"The model has no choice '{label}'; its choices are {string.Join(", ", Choices.Select(c => c.Label))}.");

    /// <summary>Reads and checks the markers of a model.</summary>
    /// <exception cref="ChoiceException">A marker is malformed, or markers of one label disagree.</exception>
    public static SearchSpace Read(Model model) => new SearchSpaceReader(model).Read();
}
