using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>A decision to be searched: all markers of one label.</summary>
public abstract class Choice
{
    private protected Choice(string label, IReadOnlyList<string> candidates)
    {
        Label = label;
        Candidates = candidates;
    }

    /// <summary>The label. Markers with one label are one decision.</summary>
    public string Label { get; }

    /// <summary>The names of what can be chosen, in the order of the marker's inputs.</summary>
    public IReadOnlyList<string> Candidates { get; }

    /// <summary>The markers of this label, in order of execution.</summary>
    public IReadOnlyList<Node> Nodes => Sites;

    /// <summary>How many ways there are to decide.</summary>
    public abstract SpaceSize Options { get; }

    internal List<Node> Sites { get; } = [];

    /// <summary>Checks a selection of candidates, given by index in ascending order.</summary>
    /// <exception cref="ChoiceException">The selection does not fit.</exception>
    public abstract void Validate(IReadOnlyList<int> selection);

    private protected void RequireInRange(IReadOnlyList<int> selection)
    {
        foreach (var index in selection)
        {
            if (index < 0 || index >= Candidates.Count)
                throw new ChoiceException($"Choice '{Label}' has candidates 0 to {Candidates.Count - 1}, got {index}.");
        }
    }
}

/// <summary>One of several computations of the same shape: <c>LayerChoice</c>.</summary>
public sealed class LayerChoice : Choice
{
    private const double LeastPrior = 1e-6;

    internal LayerChoice(string label, IReadOnlyList<string> candidates, IReadOnlyList<float>? prior) : base(label, candidates) => Prior = prior;

    /// <summary>Weights given beforehand, one a candidate, or null.</summary>
    public IReadOnlyList<float>? Prior { get; }

    /// <summary>The logarithms of <see cref="Prior"/>, to add to logits; a prior of 0 counts as 1e-6, so that they are finite.</summary>
    internal IReadOnlyList<double>? LogPrior => Prior?.Select(p => Math.Log(Math.Max(p, LeastPrior))).ToArray();

    /// <inheritdoc/>
    public override SpaceSize Options => SpaceSize.Of(Candidates.Count);

    /// <inheritdoc/>
    public override void Validate(IReadOnlyList<int> selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Count != 1)
            throw new ChoiceException($"LayerChoice '{Label}' takes exactly one candidate, got {selection.Count}.");
        RequireInRange(selection);
    }
}

/// <summary>How the chosen inputs are joined.</summary>
public enum Reduction
{
    /// <summary>Added up.</summary>
    Sum,

    /// <summary>Averaged.</summary>
    Mean,

    /// <summary>Concatenated on an axis.</summary>
    Concat,
}

/// <summary>Some of several values, joined: <c>InputChoice</c>.</summary>
public sealed class InputChoice : Choice
{
    internal InputChoice(string label, IReadOnlyList<string> candidates, int chosenCount, Reduction reduction, int axis) : base(label, candidates)
    {
        ChosenCount = chosenCount;
        Reduction = reduction;
        Axis = axis;
    }

    /// <summary>How many inputs are chosen; 0 = any number, at least one.</summary>
    public int ChosenCount { get; }

    /// <summary>How the chosen inputs are joined.</summary>
    public Reduction Reduction { get; }

    /// <summary>The axis of <see cref="Reduction.Concat"/>.</summary>
    public int Axis { get; }

    /// <inheritdoc/>
    public override SpaceSize Options => ChosenCount == 0
        ? SpaceSize.Subsets(Candidates.Count)
        : SpaceSize.Subsets(Candidates.Count, ChosenCount);

    /// <inheritdoc/>
    public override void Validate(IReadOnlyList<int> selection)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (ChosenCount == 0 ? selection.Count == 0 : selection.Count != ChosenCount)
            throw new ChoiceException($"InputChoice '{Label}' takes {(ChosenCount == 0 ? "at least one" : ChosenCount)} of its inputs, got {selection.Count}.");
        RequireInRange(selection);
        for (var i = 1; i < selection.Count; i++)
        {
            if (selection[i] <= selection[i - 1])
                throw new ChoiceException($"InputChoice '{Label}': a selection lists distinct inputs in ascending order, got {string.Join(", ", selection)}.");
        }
    }
}
