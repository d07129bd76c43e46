using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Data;
using OnnxNas.Search.Import;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Import;

/// <summary>Every way to read a parameter trains it, with the gradient that finite differences give, and the file that is written holds what was trained.</summary>
[TestClass]
public sealed class TrainedKindsTests
{
    private const double Step = 1e-6;

    public static IEnumerable<object[]> Kinds => TrainedKinds.All.Keys.Select(k => new object[] { k });

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void The_gradient_is_that_of_finite_differences(string kind)
    {
        var model = TrainedKinds.Of(kind, ElementType.Float64);
        TrainingImport.Run(model);
        var feeds = RandomInputs.For(model, 5, 2);
        using var module = new GraphModule(model);
        Assert.Contains("p", module.Parameters.Keys, kind);
        using var scope = NewDisposeScope();
        module.Forward(feeds.ToDictionary(f => f.Key, f => f.Value.ToTorch()))[0].sin().sum().backward();
        var gradient = module.Parameters["p"].grad!.ToTensorData().ToDoubles();
        var start = model.Graph.Find("p")!.Initializer!;
        Assert.IsTrue(gradient.Any(g => Math.Abs(g) > 1e-4), $"{kind}: the gradient is 0.");
        for (var i = 0; i < gradient.Length; i++)
            Assert.AreEqual((Sum(i, Step) - Sum(i, -Step)) / (2 * Step), gradient[i], 1e-5 + 1e-4 * Math.Abs(gradient[i]), $"{kind}, element {i}");

        double Sum(int element, double change)
        {
            var moved = model.Clone();
            var numbers = start.ToDoubles();
            numbers[element] += change;
            moved.Graph.SetInitializer(moved.Graph.Find("p")!, TensorData.Create<double>(start.Dims, numbers));
            using var other = new GraphModule(moved);
            return other.Evaluate(feeds)[0].ToDoubles().Sum(Math.Sin);
        }
    }

    [TestMethod]
    [DynamicData(nameof(Kinds))]
    public void Training_changes_it_and_the_written_file_holds_what_is_counted(string kind)
    {
        var model = TrainedKinds.Of(kind);
        TrainingImport.Run(model);
        var space = SearchSpace.Read(model);
        var (plain, start) = (Pruner.Prune(model, Architecture.First(space)), model.Graph.Find("p")!.Initializer!.ToDoubles());
        var counted = new ModelCost(space).Supernet.Parameters;
        using (var module = new GraphModule(plain))
            Assert.AreEqual(counted, module.Parameters.Values.Sum(p => p.numel()), kind);
        new WinnerTrainer(new() { BatchSize = 4, Lr = 0.05, WeightDecay = 0 }, Loss.Named("mse"), () => MetricSet.Default("mse"), new SmallTask(), CPU, default).Fit(plain, Data(plain), 1);
        CollectionAssert.AreNotEqual(start, plain.Graph.Find("p")!.Initializer!.ToDoubles(), kind);
        var written = plain.Clone();
        Pruner.Finish(written);
        using var trained = new GraphModule(plain);
        using var session = new OnnxSession(OnnxFile.ToBytes(written));
        var feeds = RandomInputs.For(session, 7, 3);
        var result = Parity.Compare(session.Run(feeds)[0], trained.Evaluate(feeds)[0]);
        Assert.IsTrue(result.Passed, result.Message);
        string[] literals = ["min", "max", "one", "zero", "fill"];
        var held = written.Graph.Initializers.Where(v => v.Element == ElementType.Float32 && !literals.Contains(v.Name)).Sum(v => v.Initializer!.ElementCount);
        // Rows of a table that nothing reads are not written.
        Assert.AreEqual(kind == "a table by Gather" ? counted - 8 : counted, held, kind);
    }

    // Targets of the shape that the output has.
    private static Dataset Data(Model model)
    {
        using var module = new GraphModule(model);
        var x = TestTensors.Normal(1, 16, 3, 4);
        var dims = module.Evaluate(new Dictionary<string, TensorData> { ["x"] = x })[0].Dims;
        return Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = x }, TestTensors.Normal(2, [.. dims]));
    }
}
