using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// The baseline: uniformly drawn architectures, each trained alone. As many as <see cref="SearchOptions.Samples"/> says, or else √epochs, which is as many as each has epochs;
/// fewer where the space holds fewer.
/// </summary>
/// <param name="task">The task.</param>
[Strategy("random", "baseline: random architectures, each trained alone; they share the epochs")]
public sealed class RandomSearch(TrainingTask task) : StandaloneTrainer(task)
{
    // Draws for each architecture that is wanted; few may be new, or within the budget.
    private const int DrawsPerSample = 1000;

    /// <inheritdoc/>
    protected override IReadOnlyList<Architecture> Architectures()
    {
        var wanted = Math.Min(Task.Options.Samples ?? (int)Math.Sqrt(Task.Options.Epochs), Task.Options.Epochs);
        var drawn = Draw(Task, wanted, RandomStreams.Strategy);
        return drawn.Count > 0 ? drawn : SomeAllowed();
    }

    /// <summary>Uniformly drawn architectures to compare a winner with: none twice, all within the budget; fewer where there are no more to be found.</summary>
    public static IReadOnlyList<Architecture> Baseline(TrainingTask task, int count) => Draw(task, count, RandomStreams.Baseline);

    private static List<Architecture> Draw(TrainingTask task, int wanted, long stream)
    {
        ArgumentNullException.ThrowIfNull(task);
        var random = new SeededRandom(task.Options.Seed, stream);
        var liveness = new Liveness(task.Space);
        var drawn = new List<Architecture>();
        var size = task.Space.Size;
        var known = new HashSet<Architecture>();
        for (var draw = 0; draw < DrawsPerSample * wanted && drawn.Count < wanted && !size.IsAtMost(known.Count); draw++)
        {
            var architecture = liveness.Canonical(Architecture.Random(task.Space, random));
            if (known.Add(architecture) && task.Budget.Allows(architecture))
                drawn.Add(architecture);
        }

        return drawn;
    }
}
