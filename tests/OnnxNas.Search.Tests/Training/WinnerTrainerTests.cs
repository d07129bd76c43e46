using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class WinnerTrainerTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void Training_brings_the_loss_down_and_writes_weights_and_statistics_into_the_model()
    {
        var model = Plain();
        var before = model.Graph.Initializers.ToDictionary(i => i.Name, i => i.Initializer!.ToDoubles());
        var ear = new SmallTask();
        Trainer(ear, new() { BatchSize = 8, Lr = 0.05 }).Fit(model, SmallTask.Data(model, 32, 1), 10);
        Assert.HasCount(10, ear.Epochs);
        Assert.IsLessThan(ear.Epochs[0].TrainLoss, ear.Epochs[^1].TrainLoss);
        Assert.IsTrue(ear.Epochs.All(e => e.ValidLoss is null && e.Phase == "retrain"));
        foreach (var value in model.Graph.Initializers)
            CollectionAssert.AreNotEqual(before[value.Name], value.Initializer!.ToDoubles(), value.Name);
    }

    [TestMethod]
    public void No_epochs_change_nothing_and_a_model_without_weights_is_left_alone()
    {
        var model = Plain();
        var bytes = OnnxFile.ToBytes(model);
        Trainer(new(), new()).Fit(model, SmallTask.Data(model, 8, 1), 0);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(model));
        var net = new NetBuilder();
        var bare = net.Build((net.Op("Tanh", net.Input("x", N, 4)), [N, 4]));
        Trainer(new(), new()).Fit(bare, SmallTask.Data(bare, 8, 1), 2);
    }

    [TestMethod]
    public void Weights_that_the_last_step_ruined_are_told()
    {
        var model = Plain();
        var message = Assert.ThrowsExactly<TrainingException>(() =>
            Trainer(new(), new() { BatchSize = 32, Lr = 1e38, WeightDecay = 1e10, GradClip = 0 }).Fit(model, SmallTask.Data(model, 32, 1), 1)).Message;
        Assert.Contains("epoch 1, step 1", message);
        Assert.Contains("lower --lr", message);
    }

    [TestMethod]
    public void Stopping_is_heard_between_steps()
    {
        var model = Plain();
        Assert.Throws<OperationCanceledException>(() =>
            new WinnerTrainer(new(), Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, new(canceled: true)).Fit(model, SmallTask.Data(model, 8, 1), 1));
    }

    [TestMethod]
    [DataRow("cross-entropy", false), DataRow("mse", false), DataRow("cross-entropy", true)]
    public void Training_stopped_after_every_step_and_resumed_ends_the_same(string loss, bool hasAllParts)
    {
        var (whole, ear) = (Dropping(), new SmallTask());
        Fit(whole, loss, hasAllParts, ear, new(), default);
        CheckpointState? newest = null;
        var resumed = Dropping();
        var rows = new List<EpochReport>();
        for (var ended = false; !ended;)
        {
            using var stop = new CancellationTokenSource();
            var part = new StoppingEar(stop);
            resumed = Dropping();
            try
            {
                Fit(resumed, loss, hasAllParts, part, new(s => newest = s, newest), stop.Token);
                ended = true;
            }
            catch (OperationCanceledException)
            {
            }

            rows.AddRange(part.Epochs);
        }

        CollectionAssert.AreEqual(OnnxFile.ToBytes(whole), OnnxFile.ToBytes(resumed));
        CollectionAssert.AreEqual(ear.Epochs.Select(e => e with { Seconds = 0 }).ToArray(), rows.Select(e => e with { Seconds = 0 }).ToArray());
    }

    // Two trainings, the second of which needs what the first one ended with.
    private static void Fit(Model model, string loss, bool hasAllParts, ITrainingProgress ear, Checkpointer checkpointer, CancellationToken stop)
    {
        var classes = loss == "cross-entropy" ? 2 : 0;
        var options = new SearchOptions { BatchSize = 8, Seed = 5 };
        if (hasAllParts)
            options = options with { Ema = 0.5, LabelSmoothing = 0.1, Schedule = "step", StepEpochs = 1, StepFactor = 0.5, Decay = "matrices" };
        var trainer = new WinnerTrainer(options, Loss.Named(loss), () => classes > 0 ? new Accuracy() : new RSquared(), ear, CPU, stop, checkpointer);
        var data = SmallTask.Data(model, 24, 1, classes);
        trainer.Fit(model, data, 3);
        trainer.Fit(model, data, 2, "again");
    }

    private static Model Dropping()
    {
        var net = new NetBuilder();
        var dropped = net.Op("Dropout", net.BatchNorm("bn", net.Input("x", N, 4), 4), net.Constant("ratio", [], _ => 0.4), net.Graph.AddInitializer("on", TensorData.Scalar(true)));
        return net.Build((net.Linear("l", dropped, 4, 2), [N, 2]));
    }

    // Asks to stop after the first step.
    private sealed class StoppingEar(CancellationTokenSource stop) : ITrainingProgress
    {
        public List<EpochReport> Epochs { get; } = [];

        public void Step(string phase, int step, int steps, double loss, double milliseconds) => stop.Cancel();

        public void Epoch(EpochReport report) => Epochs.Add(report);
    }

    private static WinnerTrainer Trainer(SmallTask ear, SearchOptions options) => new(options, Loss.Named("mse"), () => MetricSet.Default("mse"), ear, CPU, default);

    private static Model Plain()
    {
        var net = new NetBuilder();
        return net.Build((net.Linear("l", net.BatchNorm("bn", net.Input("x", N, 4), 4), 4, 2), [N, 2]));
    }
}
