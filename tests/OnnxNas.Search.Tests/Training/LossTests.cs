using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Training;

[TestClass]
public sealed class LossTests
{
    private static readonly Dim N = Dim.Symbol("N");

    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Select(s => new object[] { s.Name });

    [TestMethod]
    [DataRow(0.0), DataRow(0.1), DataRow(0.7)]
    public void Smoothed_cross_entropy_is_that_of_the_formula(double smoothing)
    {
        using var scope = NewDisposeScope();
        var logits = tensor(TestTensors.Normal(1, 5 * 4 * 3).ToDoubles()).reshape(5, 4, 3);
        var label = TestTensors.Int64s(2, 0, 4, 5, 3).ToTorch();
        var loss = Loss.Named("cross-entropy").Smoothed(smoothing);
        Assert.AreEqual(ByHand(logits, label, smoothing), loss.Of(logits, label).item<double>(), 1e-12);
        // Without axes behind the classes, too; the mutant that leaves labels as they are is another loss.
        var (flat, labels) = (logits.select(2, 0), label.select(1, 0));
        Assert.AreEqual(ByHand(flat.unsqueeze(2), labels.unsqueeze(1), smoothing), loss.Of(flat, labels).item<double>(), 1e-12);
        if (smoothing > 0)
            Assert.IsGreaterThan(1e-3, Math.Abs(ByHand(logits, label, 0) - loss.Of(logits, label).item<double>()));
    }

    [TestMethod]
    [DataRow(0.0), DataRow(0.2)]
    public void Cross_entropy_takes_classes_last_and_rows_of_probabilities(double smoothing)
    {
        using var scope = NewDisposeScope();
        var logits = tensor(TestTensors.Normal(1, 5 * 4 * 3).ToDoubles()).reshape(5, 4, 3);
        var label = TestTensors.Int64s(2, 0, 4, 5, 3).ToTorch();
        var expected = ByHand(logits, label, smoothing);
        var last = logits.permute(0, 2, 1).contiguous();
        var loss = Loss.Named("cross-entropy") with { ClassAxis = 2 };
        Assert.AreEqual(expected, loss.Smoothed(smoothing).Of(last, label).item<double>(), 1e-12);
        var rows = nn.functional.one_hot(label, 4);
        Assert.AreEqual(expected, (loss with { HasProbabilities = true }).Smoothed(smoothing).Of(last, rows.to_type(ScalarType.Float32)).item<double>(), 1e-12);
        Assert.ThrowsExactly<DataException>(() => loss.Of(logits, label));
    }

    [TestMethod]
    public void Labels_of_as_many_numbers_in_another_shape_are_refused()
    {
        using var scope = NewDisposeScope();
        foreach (var name in new[] { "bce-with-logits", "mse", "mae" })
        {
            Assert.ThrowsExactly<DataException>(() => Loss.Named(name).Of(zeros(4, 2, 3), zeros(4, 3, 2)));
            Assert.ThrowsExactly<DataException>(() => Loss.Named(name).Of(zeros(4, 2, 3), zeros(4, 6)));
            Assert.IsTrue(double.IsFinite(Loss.Named(name).Of(zeros(4, 1), zeros(4)).item<float>()));
        }
    }

    [TestMethod]
    [DataRow("bce-with-logits"), DataRow("mse"), DataRow("mae")]
    public void Only_labels_of_classes_can_be_smoothed(string name)
    {
        Assert.AreSame(Loss.Named(name), Loss.Named(name).Smoothed(0));
        var message = Assert.ThrowsExactly<DataException>(() => Loss.Named(name).Smoothed(0.1)).Message;
        Assert.Contains("--label-smoothing is 0.1", message);
        Assert.Contains(name, message);
    }

    [TestMethod]
    public void The_architecture_and_the_scores_know_nothing_of_smoothed_labels()
    {
        var (plain, smoothed) = (Fit(t => new Darts(t), 0), Fit(t => new Darts(t), 0.3));
        CollectionAssert.AreEqual(plain.Alphas, smoothed.Alphas);
        Assert.AreEqual(plain.ValidLoss, smoothed.ValidLoss);
        Assert.AreNotEqual(plain.TrainLoss, smoothed.TrainLoss);
    }

    [TestMethod]
    public void The_mutant_whose_architecture_learns_by_smoothed_labels_is_seen() =>
        CollectionAssert.AreNotEqual(Fit(t => new SmoothedArchitecture(t), 0).Alphas, Fit(t => new SmoothedArchitecture(t), 0.3).Alphas);

    [TestMethod]
    public void The_step_of_the_weights_that_second_order_looks_ahead_is_one_on_smoothed_labels() =>
        CollectionAssert.AreNotEqual(Fit(t => new Darts(t), 0, unrolled: true).Alphas, Fit(t => new Darts(t), 0.3, unrolled: true).Alphas);

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void The_weights_of_every_strategy_learn_by_smoothed_labels(string strategy)
    {
        CollectionAssert.AreEqual(Weights(0), Weights(0));
        CollectionAssert.AreNotEqual(Weights(0), Weights(0.3));

        byte[] Weights(double smoothing)
        {
            var options = new SearchOptions { Strategy = strategy, Epochs = 2, BatchSize = 8, ArchLr = 1e-30, ArchWeightDecay = 0, LabelSmoothing = smoothing, Samples = 1 };
            using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(Net(), options, classes: 3));
            trainer.Fit();
            return [.. trainer.Supernet.Weights.SelectMany(w => w.ToTensorData().Bytes.ToArray())];
        }
    }

    // −Σ_c t_c log p_c with t = (1 − ε)·onehot + ε/C, the mean over samples and places; [N,C,D].
    private static double ByHand(Tensor logits, Tensor label, double smoothing)
    {
        var (n, classes, places) = (logits.shape[0], logits.shape[1], logits.shape[2]);
        var sum = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var d = 0; d < places; d++)
            {
                var y = Enumerable.Range(0, (int)classes).Select(c => logits[i, c, d].item<double>()).ToArray();
                var log = Math.Log(y.Sum(Math.Exp));
                sum += y.Select((v, c) => ((label[i, d].item<long>() == c ? 1 - smoothing : 0) + smoothing / classes) * (log - v)).Sum();
            }
        }

        return sum / (n * places);
    }

    // Weights that do not move, unless second order moves them to look ahead.
    private static (byte[] Alphas, double? ValidLoss, double TrainLoss) Fit(Func<TrainingTask, GradientTrainer> create, double smoothing, bool unrolled = false)
    {
        var ear = new SmallTask();
        var lr = unrolled ? 0.1 : 1e-30;
        var options = new SearchOptions { Epochs = 1, BatchSize = unrolled ? 32 : 8, ArchLr = 0.1, Lr = lr, MinLr = lr, WeightDecay = 0, LabelSmoothing = smoothing, Unrolled = unrolled };
        using var trainer = create(SmallTask.Of(Net(), options, ear, classes: 3));
        trainer.Fit();
        return ([.. trainer.Supernet.ArchitectureParameters.SelectMany(w => w.ToTensorData().Bytes.ToArray())], ear.Epochs[0].ValidLoss, ear.Epochs[0].TrainLoss);
    }

    private static Model Net()
    {
        var net = new NetBuilder(2);
        var x = net.Input("x", N, 4);
        var op = net.LayerChoice("op", null, net.Linear("a", x, 4, 4), net.Op("Tanh", net.Linear("b", x, 4, 4)));
        return net.Build((net.Linear("head", op, 4, 3), [N, 3]));
    }

    private sealed class SmoothedArchitecture : RelaxedTrainer
    {
        public SmoothedArchitecture(TrainingTask task) : base(task) => Relax();

        protected internal override void StepArchitecture(Batch train, Batch valid) => ArchitectureStep(Alphas, () => TrainingLossOf(valid));
    }
}
