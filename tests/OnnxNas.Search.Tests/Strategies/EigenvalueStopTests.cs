using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class EigenvalueStopTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void The_largest_eigenvalue_is_that_of_the_Hessian_by_differences_of_the_loss()
    {
        using var darts = new Darts(SmallTask.Of(Smooth(), new() { BatchSize = 16, Seed = 3 }));
        using var scope = NewDisposeScope();
        var (loss, alphas) = (LossOf(darts), darts.Supernet.ArchitectureParameters);
        using (no_grad())
        {
            foreach (var (i, alpha) in alphas.Index())
                alpha.copy_(TestTensors.Normal(20 + i, alpha.numel()).ToTorch());
        }

        var hessian = SecondDifferences(alphas, loss);
        var expected = linalg.eigvalsh(tensor(hessian)).max().item<double>();
        Assert.IsGreaterThan(1e-3, expected);
        Assert.AreEqual(expected, new ArchitectureHessian(alphas, loss).LargestEigenvalue(), 1e-3 * expected);
        // The mutant that looks at each number of alpha alone.
        var size = hessian.GetLength(0);
        Assert.IsGreaterThan(0.05 * expected, Math.Abs(Enumerable.Range(0, size).Max(i => hessian[i, i]) - expected));
    }

    [TestMethod]
    public void Of_a_quadratic_it_is_the_largest_even_where_another_is_larger_below_zero()
    {
        using var scope = NewDisposeScope();
        // 40 numbers in two parameters: more than there are steps.
        double[] spectrum = [-9, 5, .. Enumerable.Range(0, 38).Select(i => -3 + i * 6 / 37.0)];
        var q = linalg.qr(TestTensors.Normal(5, 40, 40).ToTorch().to_type(ScalarType.Float64)).Q;
        var matrix = q.matmul(diag(tensor(spectrum))).matmul(q.t());
        Parameter[] alphas = [new(TestTensors.Normal(6, 30).ToTorch().to_type(ScalarType.Float64)), new(TestTensors.Normal(7, 10).ToTorch().to_type(ScalarType.Float64))];
        var before = Bytes(alphas);
        var found = new ArchitectureHessian(alphas, () =>
        {
            var all = cat([alphas[0], alphas[1]], 0);
            return all.dot(matrix.matmul(all)).Times(0.5);
        }).LargestEigenvalue();
        Assert.AreEqual(5, found, 5e-3);
        CollectionAssert.AreEqual(before, Bytes(alphas));
    }

    [TestMethod]
    public void A_loss_without_alpha_has_no_curvature()
    {
        using var scope = NewDisposeScope();
        Assert.AreEqual(0, new ArchitectureHessian([new(ones(3))], () => ones(1).sum()).LargestEigenvalue());
    }

    [TestMethod]
    public void The_search_ends_by_the_published_rule_and_returns_alpha_of_the_middle_of_the_earlier_window()
    {
        // 1.2 at first, then 1.4 times the average of the window before.
        Assert.AreEqual((11, 4), Ending([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]));
        // One epoch alone is smoothed away, at whatever place; the mutant that compares single epochs stops.
        double[] spike = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2.4, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        Assert.IsNull(Ending(spike));
        Assert.AreEqual((10, 9), Ending(spike, window: 1));
        // No more than the ratio, falling, and too short.
        Assert.IsNull(Ending([1, 1, 1, 1, 1, 1.25, 1.25, 1.25, 1.25, 1.25], ratio: 1.25));
        Assert.IsNull(Ending([9, 8, 7, 6, 5, 4, 3, 2, 1, 0.5, 0.4, 0.3]));
        Assert.IsNull(Ending([1, 2, 4, 8, 16, 32, 64, 128, 256]));
        Assert.AreEqual((9, 2), Ending([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]));
        // From nothing, or less, any value is a rise of any ratio: it tells nothing.
        Assert.IsNull(Ending([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]));
        Assert.IsNull(Ending([-1, -1, -1, -1, -1, 1, 1, 1, 1, 1]));
        Assert.IsNull(Ending([-1, -1, -1, -1, -1, -1, -1, -1, -1, -1]));
        // An even window.
        Assert.AreEqual((3, 0), Ending([1, 1, 2, 2], window: 2));
    }

    [TestMethod]
    public void The_rule_goes_on_from_a_checkpoint_at_any_epoch()
    {
        double[] eigenvalues = [5, 3, 2, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2];
        for (var at = 0; at < eigenvalues.Length; at++)
            Assert.AreEqual(Ending(eigenvalues), Ending(eigenvalues, resumedAt: at), $"{at}");
    }

    [TestMethod]
    [DataRow("darts", 1.0), DataRow("gumbel", 2.0)]
    public void What_is_watched_is_the_Hessian_of_the_validation_loss_in_the_logits_as_the_supernet_is_scored(string strategy, double temperature)
    {
        using var scope = NewDisposeScope();
        CheckpointState? last = null;
        var options = new SearchOptions { Strategy = strategy, Epochs = 1, BatchSize = 16, Seed = 3, ArchLr = 0.3, Lr = 0.1, Temperature = temperature, MinTemperature = temperature, EigenvalueStop = true };
        using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(Smooth(), options, checkpointer: new(state => last = state)));
        trainer.Fit();
        var watched = last!.Section("eigenvalue_stop").GetDoubles("eigenvalues").Single();
        double Largest(BatchLoader samples, bool training)
        {
            var batch = samples.Load([.. Enumerable.Range(0, 16)]);
            trainer.Supernet.Module.UpdateBuffers = false;
            trainer.Supernet.Module.Training = training;
            return linalg.eigvalsh(tensor(SecondDifferences(trainer.Supernet.ArchitectureParameters, () => trainer.Task.Loss.Of(trainer.Supernet.Forward(batch.Inputs)[0], batch.Label)))).max().item<double>();
        }

        var expected = temperature * temperature * Largest(trainer.Task.Validation, training: false);
        Assert.IsGreaterThan(1e-3, expected);
        Assert.AreEqual(expected, watched, 1e-3 * expected);
        // The mutants that look at the training samples, or at the statistics of the batch.
        Assert.IsGreaterThan(1e-2 * expected, Math.Abs(temperature * temperature * Largest(trainer.Task.Training, training: false) - watched));
        if (strategy == "darts")
            Assert.IsGreaterThan(1e-2 * expected, Math.Abs(Largest(trainer.Task.Validation, training: true) - watched));
    }

    [TestMethod]
    [DataRow("darts"), DataRow("gumbel"), DataRow("pc-darts")]
    public void A_search_that_is_watched_and_not_stopped_is_the_search_that_is_not_watched(string strategy)
    {
        var options = new SearchOptions { Strategy = strategy, Epochs = 4, BatchSize = 8, Seed = 3, ArchLr = 0.05, EigenvalueWindow = 1, EigenvalueRatio = 1e9 };
        var states = new[] { options, options with { EigenvalueStop = true } }.Select(o =>
        {
            using var trainer = StrategyCatalog.Create(strategy, SmallTask.Of(WithDropout(), o));
            trainer.Fit();
            return Convert.ToHexString(trainer.Supernet.Module.State.SelectMany(t => t.Value.ToTensorData().Bytes.ToArray()).ToArray());
        }).ToArray();
        Assert.AreEqual(states[0], states[1]);
    }

    [TestMethod]
    public void A_search_that_ends_early_has_alpha_of_the_earlier_epoch_and_the_metric_that_goes_with_it()
    {
        var alphas = new List<string>();
        var ear = new SmallTask();
        using var darts = new Darts(SmallTask.Of(WithDropout(), new() { Epochs = 30, BatchSize = 8, Seed = 3, ArchLr = 0.1, Lr = 0.1, EigenvalueStop = true, EigenvalueWindow = 1, EigenvalueRatio = 1.0001 }, ear));
        ear.AfterStep = () =>
        {
            if (ear.Losses.Count % darts.Task.StepsPerEpoch == 0)
                alphas.Add(Convert.ToHexString(Bytes(darts.Supernet.ArchitectureParameters)));
        };
        darts.Fit();
        Assert.IsGreaterThan(1, alphas.Count);
        Assert.IsLessThan(30, alphas.Count);
        Assert.AreEqual(alphas[^2], Convert.ToHexString(Bytes(darts.Supernet.ArchitectureParameters)));
        var metric = darts.Task.Metric();
        Assert.AreEqual(Scoring.Score(darts.Supernet.Module, darts.Supernet.Forward, darts.Task.Validation, darts.Task.Loss, metric).Metric, darts.ValidMetric);
        Assert.AreNotEqual(ear.Epochs[^1].Metric, darts.ValidMetric);
        Assert.StartsWith($"search stopped after epoch {alphas.Count}:", ear.Notes.Single());
    }

    [TestMethod]
    public void The_curvature_that_gumbel_is_judged_by_does_not_grow_as_its_temperature_falls()
    {
        // Nothing learns, so that nothing rises but 1/temperature².
        var options = new SearchOptions { Strategy = "gumbel", Epochs = 10, BatchSize = 8, Seed = 3, ArchLr = 1e-9, Lr = 1e-9, MinLr = 0, Temperature = 5, MinTemperature = 1, EigenvalueStop = true, EigenvalueWindow = 2 };
        var ear = new SmallTask();
        using var gumbel = StrategyCatalog.Create("gumbel", SmallTask.Of(Smooth(), options, ear));
        gumbel.Fit();
        Assert.HasCount(10, ear.Epochs);
    }

    private static (int Epoch, int Of)? Ending(double[] eigenvalues, int window = 5, double ratio = 1.3, int resumedAt = -1)
    {
        var stop = new EigenvalueStop(window, ratio);
        foreach (var (epoch, eigenvalue) in eigenvalues.Index())
        {
            if (epoch == resumedAt)
            {
                var state = new CheckpointState();
                stop.Save(state);
                stop = new(window, ratio);
                stop.Restore(state);
            }

            if (stop.After(eigenvalue, [epoch]) is { } alpha)
                return (epoch, (int)alpha[0]);
        }

        return null;
    }

    private static double[,] SecondDifferences(IReadOnlyList<Parameter> alphas, Func<Tensor> loss)
    {
        const double step = 1e-3;
        var places = alphas.SelectMany(a => Enumerable.Range(0, (int)a.numel()).Select(i => (a, i))).ToList();
        var hessian = new double[places.Count, places.Count];
        for (var i = 0; i < places.Count; i++)
        {
            for (var j = 0; j < places.Count; j++)
                hessian[i, j] = (At(i, 1, j, 1) - At(i, 1, j, -1) - At(i, -1, j, 1) + At(i, -1, j, -1)) / (4 * step * step);
        }

        return hessian;

        double At(int i, int first, int j, int second)
        {
            Move(i, first * step);
            Move(j, second * step);
            var value = loss().item<double>();
            Move(i, -first * step);
            Move(j, -second * step);
            return value;
        }

        void Move(int place, double by)
        {
            using var off = no_grad();
            var (alpha, i) = places[place];
            alpha.copy_(alpha.Plus(tensor(Enumerable.Range(0, (int)alpha.numel()).Select(k => k == i ? by : 0).ToArray())));
        }
    }

    private static Func<Tensor> LossOf(OneShotTrainer trainer)
    {
        var batch = trainer.Task.Validation.Load([.. Enumerable.Range(0, 16)]);
        trainer.Supernet.Module.Training = false;
        return () => trainer.Task.Loss.Of(trainer.Supernet.Forward(batch.Inputs)[0], batch.Label);
    }

    private static byte[] Bytes(IEnumerable<Tensor> tensors) => [.. tensors.SelectMany(t => t.ToTensorData().Bytes.ToArray())];

    private static Model Smooth()
    {
        var net = new NetBuilder(5, ElementType.Float64);
        var x = net.Input("x", N, 4);
        var first = net.LayerChoice("first", null, net.Op("Tanh", net.Linear("a", x, 4, 4)), net.Op("Sigmoid", net.Linear("b", x, 4, 4)), x);
        var second = net.LayerChoice("second", null, net.BatchNorm("bn", net.Linear("c", first, 4, 4), 4), first);
        var inputs = net.InputChoice("inputs", 0, "sum", first, second, x);
        return net.Build((net.Linear("head", inputs, 4, 2), [N, 2]));
    }

    private static Model WithDropout()
    {
        var net = new NetBuilder(5);
        var x = net.Input("x", N, 4);
        var dropped = net.Op("Dropout", x, net.Constant("ratio", [], _ => 0.3), net.Graph.AddInitializer("on", TensorData.Scalar(true)));
        var choice = net.LayerChoice("op", null, net.BatchNorm("bn", net.Linear("a", dropped, 4, 4), 4), net.Op("Tanh", x), x);
        return net.Build((net.Linear("head", net.Op("Tanh", choice), 4, 2), [N, 2]));
    }
}
