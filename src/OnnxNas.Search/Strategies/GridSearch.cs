using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>Every architecture of a small space that is within the budget, each trained alone. Architectures that differ only in choices that are not made count as one.</summary>
[Strategy("grid", "small spaces: every architecture, each trained alone; they share the epochs")]
public sealed class GridSearch : StandaloneTrainer
{
    private readonly IReadOnlyList<Architecture> all;

    /// <summary>Prepares the search.</summary>
    /// <exception cref="ChoiceException">There are more architectures than epochs.</exception>
    public GridSearch(TrainingTask task) : base(task)
    {
        var epochs = Task.Options.Epochs;
        all = [.. RankedArchitectures.Distinct(Task.Space).Where(Task.Budget.Allows).Take(epochs + 1)];
        if (all.Count > epochs)
        {
            var allowed = Task.Budget.IsUnlimited ? "" : ", more of them within the budget than there are epochs";
            throw new ChoiceException($"grid trains every architecture for at least one epoch; the space has {Task.Space.Size}{allowed}, and --epochs is {epochs}. Raise --epochs, or use another strategy.");
        }

        if (all.Count == 0)
            all = SomeAllowed();
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<Architecture> Architectures() => all;
}
