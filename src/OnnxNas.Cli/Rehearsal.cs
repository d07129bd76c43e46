using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;
using static TorchSharp.torch;
using ExternalException = System.Runtime.InteropServices.ExternalException;

namespace OnnxNas.Cli;

/// <summary>
/// Everything that a search does, once and on one batch, before its first step, so that nothing fails for the first time after hours: a training step of the strategy, a training step of
/// a pruned architecture, the parity gate and a scoring run by ONNX Runtime. The architectures are such that each candidate of each choice is in one. It works on copies: the search is the same bit for bit with
/// and without it.
/// </summary>
internal sealed class Rehearsal(MarkedModel marked, SearchData data, SearchOptions options, Device device)
{
    // Candidates beyond are as a rule alike, and every architecture costs time.
    private const int MostArchitectures = 8;

    /// <summary>Rehearses the search that a task is for.</summary>
    /// <exception cref="TrainingException">Something fails; the message says at which stage and why.</exception>
    /// <exception cref="OperationCanceledException">The user asked to stop.</exception>
    public void Run(TrainingTask task)
    {
        // Trainers may draw from libtorch's generator before their first step, which sets it.
        using var generator = random.get_rng_state();
        try
        {
            RunAll(task.ForRehearsal(), marked.Model.Clone());
        }
        finally
        {
            random.set_rng_state(generator);
        }
    }

    private void RunAll(TrainingTask rehearsed, Model copy)
    {
        Stage("a training step", () =>
        {
            using var trainer = StrategyCatalog.Create(options.Strategy, rehearsed);
            trainer.Fit();
            trainer.Supernet.WriteBack(copy);
        });
        // One architecture that diverges does not cost a search its others.
        var diverged = Architectures(marked.Space).Select(architecture => Rehearse(rehearsed, copy, architecture)).ToList();
        if (diverged.All(e => e is not null))
            throw diverged[0]!;
    }

    // Returns the error where training diverges.
    private TrainingException? Rehearse(TrainingTask task, Model trained, Architecture architecture)
    {
        task.Cancellation.ThrowIfCancellationRequested();
        var model = Stage($"cutting out {architecture}", () => Pruner.Prune(trained, architecture));
        TrainingException? diverged = null;
        Stage($"a training step of {architecture}", () =>
        {
            try
            {
                new WinnerTrainer(options, data.Loss, task.Metric, new Silence(), device, task.Cancellation).Fit(model, task.Samples, 1);
            }
            catch (TrainingException e)
            {
                diverged = new($"The rehearsal before the search failed at a training step of {architecture}: {e.Message}", e);
            }
        });
        if (diverged is not null)
            return diverged;
        var bytes = Stage($"writing {architecture}", () => Finisher.Written(model));
        Stage($"the comparison of {architecture} with ONNX Runtime", () =>
        {
            var supernet = trained.Clone();
            Finisher.TakeWeights(supernet.Graph, model.Graph);
            ParityGate.Require(marked with { Model = supernet }, architecture, new(bytes, null), samples: GateSamples.Of(task.Samples, model.Graph));
        });
        Stage($"scoring {architecture}", () => OnnxScore.Of(bytes, task.Samples, data.Objective, options.EffectiveThreads()));
        return null;
    }

    /// <summary>Candidate k of every choice, until each had its turn.</summary>
    public static IEnumerable<Architecture> Architectures(SearchSpace space) =>
        Enumerable.Range(0, Math.Min(MostArchitectures, space.Choices.Max(c => c.Candidates.Count)))
            .Select(k => new Architecture(space, space.Choices.ToDictionary(c => c.Label, c => Selection(c, k))))
            .Distinct();

    private static IReadOnlyList<int> Selection(Choice choice, int k)
    {
        var count = choice.Candidates.Count;
        var wanted = choice is InputChoice input ? Math.Max(1, input.ChosenCount) : 1;
        return [.. Enumerable.Range(0, wanted).Select(i => (k + i) % count).Order()];
    }

    private static void Stage(string name, Action body) => Stage(name, () =>
    {
        body();
        return true;
    });

    private static T Stage<T>(string name, Func<T> body)
    {
        try
        {
            return body();
        }
        catch (Exception e) when (e is OnnxNasException or ExternalException)
        {
            throw new TrainingException($"The rehearsal before the search failed at {name}: {e.Message.Split('\n')[0].Trim()}", e);
        }
    }
}
