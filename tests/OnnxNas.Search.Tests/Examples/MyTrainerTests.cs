using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Examples;

[TestClass]
public sealed class MyTrainerTests
{
    private static readonly string Source = RepositoryFiles.Root + "/tests/OnnxNas.Search.Tests/Examples/MyTrainer.cs";

    [TestMethod]
    public void The_example_has_about_forty_lines() => Assert.IsLessThanOrEqualTo(42, File.ReadAllLines(Source).Length);

    [TestMethod]
    public void The_readme_shows_the_example_verbatim()
    {
        var readme = File.ReadAllText(RepositoryFiles.Root + "/README.md").ReplaceLineEndings("\n");
        Assert.IsTrue(readme.Contains(File.ReadAllText(Source).ReplaceLineEndings("\n").Trim(), StringComparison.Ordinal), "README.md does not show MyTrainer.cs as it is.");
    }

    [TestMethod]
    public void The_program_in_one_file_holds_the_example_verbatim()
    {
        var program = File.ReadAllText(RepositoryFiles.Root + "/tests/Examples/trainer.cs").ReplaceLineEndings("\n");
        var example = File.ReadAllText(Source).ReplaceLineEndings("\n");
        Assert.IsTrue(program.Contains(example[example.IndexOf("public ", StringComparison.Ordinal)..].Trim(), StringComparison.Ordinal), "trainer.cs does not hold MyTrainer.cs as it is.");
    }

    [TestMethod]
    public void The_example_is_the_built_in_darts_bit_for_bit_after_every_step()
    {
        var options = new SearchOptions { Epochs = 3, BatchSize = 8, Seed = 6, ArchLr = 0.01 };
        var (expected, actual) = (Walk(options, t => new Darts(t)), Walk(options, t => new MyTrainer(t)));
        Assert.HasCount(12, expected);
        for (var step = 0; step < expected.Count; step++)
            Assert.AreEqual(expected[step], actual[step], $"step {step + 1}");
        // Every step counts, and so does every setting.
        Assert.HasCount(12, expected.Distinct());
        foreach (var other in (SearchOptions[])[options with { Seed = 7 }, options with { ArchWeightDecay = 0 }, options with { GradClip = 0.1 }, options with { Schedule = "constant" }, options with { Momentum = 0.8 }])
            Assert.AreNotEqual(expected[^1], Walk(other, t => new MyTrainer(t))[^1], $"{other}");
    }

    [TestMethod]
    public void The_example_finds_the_candidate_that_fits_the_targets()
    {
        manual_seed(1);
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var op = net.LayerChoice("op", ["negative", "identity"], net.Op("Neg", x), net.Op("Mul", x, net.Constant("scale", [4], _ => 1)));
        var model = net.Build((net.InputChoice("i", 1, "sum", net.Op("Neg", op), op), [Dim.Symbol("N"), 4]));
        var samples = TestTensors.Normal(4, 32, 4);
        var data = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = samples }, samples);
        var task = new TrainingTask(SearchSpace.Read(model), data, data, Loss.Named("mse"), () => MetricSet.Default("mse"), new() { Epochs = 60, BatchSize = 8, ArchLr = 3e-3 }, new SmallTask(), CPU, default);
        using var trainer = new MyTrainer(task);
        trainer.Fit();
        // Two ways to say x: twice negated, or not at all.
        Assert.Contains(trainer.Export().ToString(), (string[])["op=negative i=0", "op=identity i=1"]);
        OneHot.CheckPruned(model, trainer.Export());
    }

    // All weights, running statistics and α after each step, and what is exported.
    private static List<string> Walk(SearchOptions options, Func<TrainingTask, OneShotTrainer> create)
    {
        var net = new NetBuilder(3);
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var inner = net.LayerChoice("inner", null, net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x));
        var outer = net.LayerChoice("outer", null, net.Linear("b", inner, 4, 4), x, net.Op("Sigmoid", net.Linear("c", x, 4, 4)));
        var again = net.LayerChoice("inner", null, net.Linear("d", outer, 4, 4), outer);
        var mean = net.InputChoice("mean", 2, "mean", outer, again, x);
        var sum = net.InputChoice("sum", 2, "sum", mean, again, outer);
        var any = net.Op("Add", net.InputChoice("any of a sum", 0, "sum", sum, again, x), net.InputChoice("any of a mean", 0, "mean", sum, again, x));
        var model = net.Build((net.Linear("head", any, 4, 3), [Dim.Symbol("N"), 3]));
        var states = new List<string>();
        var ear = new SmallTask();
        using var trainer = create(SmallTask.Of(model, options, ear, classes: 3));
        ear.AfterStep = () =>
        {
            var tensors = trainer.Supernet.Weights.Concat(trainer.Supernet.Module.Buffers.Values).Concat(trainer.Supernet.ArchitectureParameters);
            states.Add(Convert.ToHexString([.. tensors.SelectMany(t => t.ToTensorData().Bytes.ToArray())]) + trainer.Export());
        };
        trainer.Fit();
        return states;
    }

    [TestMethod]
    public void The_example_searches_the_demo()
    {
        var path = Path.Combine(RepositoryFiles.Root, "models", "shapes.onnx");
        if (!File.Exists(path))
            Assert.Inconclusive("The demo has not been made yet.");
        manual_seed(1);
        var model = OnnxFile.Read(path);
        MarkerFunctions.Remove(model);
        using var file = DatasetReader.Read(Path.ChangeExtension(path, ".npz"), [.. model.Graph.Inputs.Where(i => i.Initializer is null).Select(i => i.Name)]);
        var some = file.Samples.Subset(Enumerable.Range(0, 64));
        var ear = new SmallTask();
        var task = new TrainingTask(SearchSpace.Read(model), some, some, Loss.Named("cross-entropy"), () => MetricSet.Default("cross-entropy"), new() { Epochs = 1, BatchSize = 32 }, ear, CPU, default);
        using var trainer = new MyTrainer(task);
        trainer.Fit();
        Assert.HasCount(2, ear.Losses);
        OneHot.CheckPruned(model, trainer.Export());
    }
}
