using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Strategies;

namespace OnnxNas.Search.Tests.Training;

/// <summary>A task that is rehearsed first is trained bit for bit as one that is not.</summary>
[TestClass]
public sealed class RehearsalTests
{
    public static IEnumerable<object[]> Strategies => StrategyCatalog.All.Where(s => StrategyCatalog.IsBuiltIn(s.Name)).Select(s => new object[] { s.Name });

    [TestMethod]
    [DynamicData(nameof(Strategies))]
    public void A_rehearsal_leaves_the_search_as_it_is(string strategy)
    {
        var (plain, silent) = Search(strategy, rehearse: false);
        var (rehearsed, notes) = Search(strategy, rehearse: true);
        CollectionAssert.AreEqual(plain, rehearsed);
        CollectionAssert.AreEqual(silent, notes);
    }

    [TestMethod]
    public void It_is_one_step_also_where_the_architecture_is_to_wait()
    {
        var ear = new SmallTask();
        var task = SmallTask.Of(SmallTask.WildNet("calm", "calm"), StrategyCatalog.Defaults(new() { Strategy = "darts", Epochs = 5, BatchSize = 8, WarmupEpochs = 3 }), ear).ForRehearsal();
        using var trainer = StrategyCatalog.Create("darts", task);
        var before = Alphas();
        trainer.Fit();
        Assert.AreEqual(1, task.Step);
        CollectionAssert.AreNotEqual(before, Alphas());
        Assert.IsEmpty(ear.Epochs);

        double[] Alphas() => [.. trainer.Task.Space.Choices.SelectMany(trainer.Supernet.ArchitectureValues)];
    }

    private static (byte[] Weights, string[] Notes) Search(string strategy, bool rehearse)
    {
        var ear = new SmallTask();
        var options = StrategyCatalog.Defaults(new() { Strategy = strategy, Epochs = 20, BatchSize = 16, Population = 4, Generations = 1 });
        var model = SmallTask.WildNet("calm", "calm");
        var task = SmallTask.Of(model, options, ear);
        using var trainer = StrategyCatalog.Create(strategy, task);
        if (rehearse)
        {
            var small = task.ForRehearsal();
            using var first = StrategyCatalog.Create(strategy, small);
            first.Fit();
            Assert.IsEmpty(ear.Notes);
        }

        trainer.Fit();
        var trained = model.Clone();
        trainer.Supernet.WriteBack(trained);
        return ([.. OnnxFile.ToBytes(trained), .. System.Text.Encoding.UTF8.GetBytes(trainer.Export().ToJson())], [.. ear.Notes]);
    }
}
