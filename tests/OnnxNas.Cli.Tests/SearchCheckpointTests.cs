using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Cli.Tests;

/// <summary>What becomes of a checkpoint when a search fails.</summary>
[TestClass]
public sealed class SearchCheckpointTests
{
    [TestMethod]
    public void What_was_trained_is_kept_where_going_on_can_help()
    {
        using var bench = new Workbench();
        var (checkpoint, model) = Begun(bench);
        var error = Assert.ThrowsExactly<CheckpointException>(() => checkpoint.Guard<int>(model, () => throw new ParityException("They differ.")));
        Assert.StartsWith("They differ. What was trained is kept: when the cause is gone, go on with 'onnxnas search ", error.Message);
        Assert.Contains("--resume", error.Message);
        Assert.IsTrue(CheckpointFolder.Exists(checkpoint.Workspace));
        checkpoint.Dispose();
        using var found = SearchCheckpoint.Find(bench["out"], null, force: false);
        Assert.IsNotNull(found.Options);
    }

    [TestMethod]
    public void What_would_fail_the_same_way_again_is_not()
    {
        using var bench = new Workbench();
        var (checkpoint, model) = Begun(bench);
        Assert.ThrowsExactly<TrainingException>(() => checkpoint.Guard<int>(model, () => throw new TrainingException("The loss became NaN.")));
        Assert.IsFalse(CheckpointFolder.Exists(checkpoint.Workspace));
        checkpoint.Dispose();
    }

    private static (SearchCheckpoint Checkpoint, string Model) Begun(Workbench bench)
    {
        var model = bench.Classifier();
        var checkpoint = SearchCheckpoint.New(bench["out"], force: false);
        checkpoint.Begin(model, MarkedModel.Read(model), new SearchOptions()).Save();
        return (checkpoint, model);
    }
}
