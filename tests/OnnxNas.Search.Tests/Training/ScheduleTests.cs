using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class ScheduleTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    [DataRow("cosine", new[] { 1, 0.8535533905932737, 0.5, 0.14644660940672627 })]
    [DataRow("step", new[] { 1, 1, 0.25, 0.25, 0.0625, 0.0625 })]
    [DataRow("constant", new[] { 1.0, 1, 1 })]
    public void Learning_rates_are_those_of_the_table(string schedule, double[] expected)
    {
        var options = new SearchOptions { Schedule = schedule, Lr = 1, MinLr = 0, StepEpochs = 2, StepFactor = 0.25 };
        for (var epoch = 0; epoch < expected.Length; epoch++)
            Assert.AreEqual(expected[epoch], Schedule.LearningRate(options, epoch, expected.Length), 1e-15);
    }

    [TestMethod]
    public void The_cosine_ends_above_its_last_value_and_takes_no_harm_of_a_single_epoch()
    {
        var options = new SearchOptions { Lr = 0.3, MinLr = 0.1 };
        Assert.AreEqual(0.3, Schedule.LearningRate(options, 0, 1));
        Assert.AreEqual(0.1 + 0.2 * 0.14644660940672627, Schedule.LearningRate(options, 3, 4), 1e-15);
    }

    [TestMethod]
    [DataRow(0.025, null, 0.001), DataRow(0.0005, null, 0.0005), DataRow(0.0005, 0.0, 0), DataRow(0.025, 0.01, 0.01)]
    public void The_cosine_falls_to_0_001_or_the_first_learning_rate_where_that_is_smaller_unless_told(double lr, double? minLr, double expected)
    {
        var options = new SearchOptions { Lr = lr, MinLr = minLr }.Checked();
        Assert.AreEqual(expected, options.EffectiveMinLr());
        Assert.AreEqual(Schedule.Cosine(lr, expected, 15, 20), Schedule.LearningRate(options, 15, 20));
    }

    [TestMethod]
    [DataRow("darts"), DataRow("spos"), DataRow("fairnas"), DataRow("enas"), DataRow("random")]
    public void Steps_of_a_search_are_as_long_as_the_schedule_says(string strategy)
    {
        // From the second epoch on a step is shorter than any difference of two floats.
        CollectionAssert.AreEqual(Searched(strategy, "step", 1), Searched(strategy, "step", 3));
        CollectionAssert.AreNotEqual(Searched(strategy, "step", 1), Searched(strategy, "constant", 3));
        CollectionAssert.AreNotEqual(Searched(strategy, "cosine", 3), Searched(strategy, "constant", 3));
    }

    [TestMethod]
    public void Steps_of_retraining_are_as_long_as_the_schedule_says()
    {
        CollectionAssert.AreEqual(Retrained("step", 1), Retrained("step", 3));
        CollectionAssert.AreNotEqual(Retrained("step", 1), Retrained("constant", 3));
        CollectionAssert.AreNotEqual(Retrained("cosine", 3), Retrained("constant", 3));
    }

    private static SearchOptions Options(string schedule, int epochs) =>
        new() { Epochs = epochs, BatchSize = 8, Seed = 2, Schedule = schedule, StepEpochs = 1, StepFactor = 1e-30, Samples = 1, RetrainEpochs = epochs };

    private static byte[] Searched(string strategy, string schedule, int epochs)
    {
        var ear = new SmallTask();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var model = net.Build((net.Linear("head", net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4))), 4, 2), [N, 2]));
        var options = Options(schedule, epochs) with { Strategy = strategy };
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(model, options, ear));
        trainer.Fit();
        CollectionAssert.AreEqual(Enumerable.Range(0, epochs).Select(e => Schedule.LearningRate(options, e, epochs)).ToArray(), ear.Epochs.Select(e => e.Lr).ToArray());
        return [.. trainer.Supernet.Weights.SelectMany(w => w.ToTensorData().Bytes.ToArray())];
    }

    private static byte[] Retrained(string schedule, int epochs)
    {
        var net = new NetBuilder();
        var model = net.Build((net.Linear("l", net.Input("x", N, 4), 4, 2), [N, 2]));
        new WinnerTrainer(Options(schedule, epochs), Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default).Fit(model, SmallTask.Data(model, 32, 1), epochs);
        return OnnxFile.ToBytes(model);
    }
}
