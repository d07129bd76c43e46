using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Checkpoints;

/// <summary>A search that was interrupted and resumed ends as one that was not: bit for bit, for every strategy there is.</summary>
[TestClass]
public sealed class ResumeTests
{
    private const int Epochs = 3;
    private const int StepsPerEpoch = 4;
    private static readonly Dim N = Dim.Symbol("N");

    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Select(s => new object[] { s.Name });

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_search_stopped_between_any_two_steps_goes_on_as_if_it_had_not_been(string strategy)
    {
        var expected = new Run(strategy).ToEnd();
        foreach (var stop in new[] { 0, 1, StepsPerEpoch - 1, StepsPerEpoch, StepsPerEpoch + 2, 2 * StepsPerEpoch + 1 })
        {
            var first = new Run(strategy) { StopAfter = stop };
            Assert.Throws<OperationCanceledException>(() => first.ToEnd());
            var second = new Run(strategy) { Before = first };
            AssertSame(expected, second.ToEnd(), $"stopped after step {stop}");
        }
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_search_killed_at_any_moment_goes_on_from_its_newest_checkpoint(string strategy)
    {
        var whole = new Run(strategy);
        var expected = whole.ToEnd();
        Assert.IsGreaterThan(Epochs, whole.Checkpoints.Count, "One at the start and one an epoch, at least.");
        foreach (var (i, checkpoint) in whole.Checkpoints.Index())
            AssertSame(expected, new Run(strategy) { Before = whole, From = checkpoint }.ToEnd(), $"resumed from checkpoint {i}");
    }

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_search_stopped_after_every_step_still_ends_the_same(string strategy)
    {
        var expected = new Run(strategy).ToEnd();
        var run = new Run(strategy) { StopAfter = 1 };
        for (var steps = 0; ; steps++)
        {
            Assert.IsLessThan(10 * Epochs * StepsPerEpoch, steps);
            try
            {
                AssertSame(expected, run.ToEnd(), "stopped after every step");
                return;
            }
            catch (OperationCanceledException)
            {
                run = new Run(strategy) { StopAfter = 1, Before = run };
            }
        }
    }

    [TestMethod]
    [DataRow("darts"), DataRow("fairnas"), DataRow("random")]
    public void Schedules_and_smoothed_labels_go_on_too(string strategy)
    {
        SearchOptions Change(SearchOptions options) => options with { Schedule = "step", StepEpochs = 1, StepFactor = 0.5, LabelSmoothing = 0.2, Decay = "matrices", WarmupEpochs = 1 };
        var expected = new Run(strategy) { With = Change }.ToEnd();
        CollectionAssert.AreNotEqual(new Run(strategy).ToEnd().Model, expected.Model);
        for (var stop = 1; stop < Epochs * StepsPerEpoch; stop += 3)
        {
            var first = new Run(strategy) { With = Change, StopAfter = stop };
            Assert.Throws<OperationCanceledException>(() => first.ToEnd());
            AssertSame(expected, new Run(strategy) { With = Change, Before = first }.ToEnd(), $"stopped after step {stop}");
        }
    }

    [TestMethod]
    [DataRow("darts"), DataRow("gumbel"), DataRow("pc-darts")]
    public void A_search_that_the_eigenvalue_stop_ends_early_ends_the_same_when_it_is_resumed(string strategy)
    {
        var expected = Watched().ToEnd();
        Assert.IsGreaterThan(2, expected.Epochs.Length);
        Assert.IsLessThan(WatchedEpochs, expected.Epochs.Length);
        var whole = Watched();
        whole.ToEnd();
        foreach (var (i, checkpoint) in whole.Checkpoints.Index())
            AssertSame(expected, new Run(strategy) { With = Watch, Before = whole, From = checkpoint }.ToEnd(), $"resumed from checkpoint {i}");
        for (var stop = 1; stop < expected.Epochs.Length * StepsPerEpoch; stop += 3)
        {
            var first = new Run(strategy) { With = Watch, StopAfter = stop };
            Assert.Throws<OperationCanceledException>(() => first.ToEnd());
            AssertSame(expected, new Run(strategy) { With = Watch, Before = first }.ToEnd(), $"stopped after step {stop}");
        }

        Run Watched() => new(strategy) { With = Watch };
    }

    [TestMethod]
    public void The_mutants_that_lose_the_eigenvalues_or_the_end_go_on_longer()
    {
        var whole = new Run("darts") { With = Watch };
        var expected = whole.ToEnd();
        var last = whole.Checkpoints.Last(c => c.Values["search"]!["loop"]!["is_over"]!.GetValue<long>() == 0);
        var tensors = last.Tensors.ToDictionary();
        tensors["eigenvalue_stop/eigenvalues"] = TensorData.Vector<double>([.. tensors["eigenvalue_stop/eigenvalues"].ToDoubles().Select(_ => 1e9)]);
        Assert.IsGreaterThan(expected.Epochs.Length, new Run("darts") { With = Watch, Before = whole, From = new(tensors, last.Values) }.ToEnd().Epochs.Length);
        var values = whole.Checkpoints[^1].Values.DeepClone().AsObject();
        values["search"]!["loop"]!["is_over"] = JsonNode.Parse("0");
        Assert.IsGreaterThan(expected.Epochs.Length, new Run("darts") { With = Watch, Before = whole, From = new(whole.Checkpoints[^1].Tensors.ToDictionary(), values) }.ToEnd().Epochs.Length);
    }

    [TestMethod]
    [DataRow("search/supernet/tensors/a.weight"), DataRow("search/supernet/tensors/bn.mean"), DataRow("search/optimizer_0/velocity/0"), DataRow("search/optimizer_1/first_moment/0"), DataRow("search/optimizer_1/second_moment/0"), DataRow("search/optimizer_1/steps")]
    public void The_mutant_that_loses_a_tensor_ends_otherwise(string lost)
    {
        var (expected, first) = (new Run("darts").ToEnd(), Stopped());
        var tensors = first.Checkpoints[^1].Tensors.ToDictionary();
        tensors[lost] = TensorData.FromBytes(tensors[lost].Type, tensors[lost].Dims, new byte[tensors[lost].Bytes.Length]);
        AssertDiffers(expected, first, new(tensors, first.Checkpoints[^1].Values));
    }

    [TestMethod]
    [DataRow("epoch", "2"), DataRow("steps", "1"), DataRow("losses", "0")]
    public void The_mutant_that_loses_its_place_ends_otherwise(string lost, string instead)
    {
        var (expected, first) = (new Run("darts").ToEnd(), Stopped());
        var values = first.Checkpoints[^1].Values.DeepClone().AsObject();
        values["search"]!["loop"]!["position"]![lost] = JsonNode.Parse(instead);
        AssertDiffers(expected, first, new(first.Checkpoints[^1].Tensors.ToDictionary(), values));
    }

    [TestMethod]
    public void A_checkpoint_of_another_model_or_strategy_is_refused()
    {
        var first = Stopped();
        var other = SearchedModel(width: 5);
        Assert.Contains("of another model", Assert.ThrowsExactly<CheckpointException>(() => new Run("darts", other) { Before = first }.ToEnd()).Message);
    }

    private const int WatchedEpochs = 12;

    private static SearchOptions Watch(SearchOptions options) => options with { Epochs = WatchedEpochs, Lr = 0.1, WarmupEpochs = 1, EigenvalueStop = true, EigenvalueWindow = 1, EigenvalueRatio = 1.0001 };

    private static Run Stopped()
    {
        var run = new Run("darts") { StopAfter = StepsPerEpoch + 2 };
        Assert.Throws<OperationCanceledException>(() => run.ToEnd());
        return run;
    }

    private static void AssertSame(Result expected, Result actual, string because)
    {
        CollectionAssert.AreEqual(expected.Epochs, actual.Epochs, because);
        Assert.AreEqual(expected.Architectures, actual.Architectures, because);
        CollectionAssert.AreEqual(expected.Model, actual.Model, because);
        Assert.AreEqual(expected.ValidMetric, actual.ValidMetric, because);
    }

    private static void AssertDiffers(Result expected, Run first, CheckpointState mutant)
    {
        var actual = new Run("darts") { Before = first, From = mutant }.ToEnd();
        Assert.IsFalse(expected.Model.AsSpan().SequenceEqual(actual.Model) && expected.Epochs.SequenceEqual(actual.Epochs));
    }

    // All that can hide a state: batch normalisation, dropout, a choice of layers, one of inputs, and more of those to validate on than to train on.
    private static Model SearchedModel(int width = 4)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var dropped = net.Op("Dropout", x, net.Constant("ratio", [], _ => 0.3), net.Graph.AddInitializer("on", TensorData.Scalar(true)));
        var h = net.LayerChoice("op", ["linear", "tanh", "skip"], net.BatchNorm("bn", net.Linear("a", dropped, 4, 4), 4), net.Linear("b", net.Op("Tanh", x), 4, 4), x);
        var i = net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h));
        return net.Build((net.Linear("head", net.Op("Tanh", net.Linear("wide", i, 4, width)), width, 3), [N, 3]));
    }

    private sealed record Result(string[] Epochs, string Architectures, byte[] Model, double ValidMetric);

    /// <summary>A search in memory whose checkpoints go through the disk.</summary>
    private sealed class Run(string strategy, Model? model = null)
    {
        private readonly Model model = model ?? SearchedModel();

        public List<CheckpointState> Checkpoints { get; } = [];

        /// <summary>Steps until it is asked to stop; null = it is not.</summary>
        public int? StopAfter { get; init; }

        /// <summary>What is different from the usual settings.</summary>

        /// <summary>The run that this one goes on from.</summary>
        public Run? Before { get; init; }

        /// <summary>The checkpoint that is gone on from, where it is not the newest one of <see cref="Before"/>.</summary>
        public CheckpointState? From { get; init; }

        /// <summary>What else the options say.</summary>
        public Func<SearchOptions, SearchOptions> With { get; init; } = options => options;

        public Result ToEnd()
        {
            using var folder = new TemporaryFolder();
            var disk = CheckpointFolder.Create(folder.Path, []);
            var checkpointer = new Checkpointer(Keep, From ?? Before?.Checkpoints[^1]);
            using var history = new History(StopAfter);
            checkpointer.Add("history", history);
            // The grid trains each of nine architectures for an epoch.
            var options = With(new() { Strategy = strategy, Epochs = strategy == "grid" ? 9 : Epochs, BatchSize = 8, Seed = 3, ArchLr = 0.1, Samples = 2 });
            using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(model, options, history, 8 * StepsPerEpoch, 3, checkpointer, history.Stopping));
            trainer.Fit();
            var architectures = string.Join('\n', trainer.Finalists(3).Prepend(trainer.Export()).Select(a => a.ToJson()));
            var trained = model.Clone();
            trainer.Supernet.WriteBack(trained);
            // A phase that follows needs the trainer's state when its optimizers are gone.
            checkpointer.Save();
            return new([.. history.Rows], architectures, OnnxFile.ToBytes(trained), trainer.ValidMetric);

            void Keep(CheckpointState state)
            {
                disk.Save(state);
                Checkpoints.Add(CheckpointFolder.Open(folder.Path).State);
            }
        }
    }

    /// <summary>Keeps a line an epoch, without its time, and stops the search after some steps.</summary>
    private sealed class History(int? stopAfter) : ITrainingProgress, ICheckpointed, IDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private int steps;

        public List<string> Rows { get; } = [];

        public CancellationToken Stopping => stopAfter == 0 ? new(canceled: true) : stop.Token;

        public void Step(string phase, int step, int total, double loss, double milliseconds)
        {
            if (++steps == stopAfter)
                stop.Cancel();
        }

        public void Epoch(EpochReport report) => Rows.Add((report with { Seconds = 0 }).ToString());

        public void Save(CheckpointState state) => state.Put("rows", string.Join('\n', Rows));

        public void Restore(CheckpointState state) => Rows.AddRange(state.GetString("rows").Split('\n', StringSplitOptions.RemoveEmptyEntries));

        public void Dispose() => stop.Dispose();
    }
}
