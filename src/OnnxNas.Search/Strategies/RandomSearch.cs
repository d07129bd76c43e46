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
        var random = new SeededRandom(Task.Options.Seed, RandomStreams.Strategy);
        var liveness = new Liveness(Task.Space);
        var drawn = new List<Architecture>();
        var known = new HashSet<Architecture>();
        for (var draw = 0; draw < DrawsPerSample * wanted && drawn.Count < wanted && known.Count < Task.Space.Size; draw++)
        {
            var architecture = liveness.Canonical(Architecture.Random(Task.Space, random));
            if (known.Add(architecture) && Task.Budget.Allows(architecture))
                drawn.Add(architecture);
        }

        return drawn.Count > 0 ? drawn : SomeAllowed();
    }
}
