using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
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

    private static WinnerTrainer Trainer(SmallTask ear, SearchOptions options) => new(options, Loss.Named("mse"), () => MetricSet.Default("mse"), ear, CPU, default);

    private static Model Plain()
    {
        var net = new NetBuilder();
        return net.Build((net.Linear("l", net.BatchNorm("bn", net.Input("x", N, 4), 4), 4, 2), [N, 2]));
    }
}
