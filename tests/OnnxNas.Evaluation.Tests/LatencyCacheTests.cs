using Microsoft.ML.OnnxRuntime;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class LatencyCacheTests
{
    private static readonly Latency Sentinel = new(123.5, 124, 125, 7);

    [TestMethod]
    public void What_is_stored_is_found_by_the_next_program()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("deep", "latency.json");
        new LatencyCache(path).Store("a", Sentinel);
        new LatencyCache(path).Store("b", Sentinel with { Median = 2 });
        var cache = new LatencyCache(path);
        Assert.AreEqual(Sentinel, cache.Find("a"));
        Assert.AreEqual(2, cache.Find("b")!.Median);
        Assert.IsNull(cache.Find("c"));
        Assert.HasCount(1, Directory.GetFiles(folder.File("deep")));
    }

    [TestMethod]
    public void Two_programs_that_take_turns_keep_both_entries()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("latency.json");
        var (one, other) = (new LatencyCache(path), new LatencyCache(path));
        one.Store("a", Sentinel);
        other.Store("b", Sentinel);
        Assert.IsNotNull(new LatencyCache(path).Find("a"));
        Assert.IsNotNull(new LatencyCache(path).Find("b"));
    }

    [TestMethod]
    public void A_damaged_file_counts_as_empty_and_is_replaced()
    {
        foreach (var text in new[] { "", "{\"a\":", "[1,2]", "{\"a\":null}", "{\"a\":{\"Median\":-1,\"P90\":1,\"P99\":1,\"Iterations\":1}}", "{\"a\":7}" })
        {
            using var folder = new TemporaryFolder();
            var path = folder.File("latency.json");
            File.WriteAllText(path, text);
            var cache = new LatencyCache(path);
            Assert.IsNull(cache.Find("a"), text);
            cache.Store("b", Sentinel);
            Assert.AreEqual(Sentinel, new LatencyCache(path).Find("b"), text);
        }
    }

    [TestMethod]
    public void A_folder_that_cannot_be_written_keeps_entries_for_this_run()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "");
        var cache = new LatencyCache(folder.File("file", "latency.json"));
        cache.Store("a", Sentinel);
        Assert.AreEqual(Sentinel, cache.Find("a"));
    }

    [TestMethod]
    public void The_name_of_an_entry_tells_model_shapes_types_and_threads_apart()
    {
        byte[] model = [1, 2, 3];
        var feeds = Feeds([1, 4]);
        string[] keys =
        [
            LatencyCache.Key(model, feeds, 1),
            LatencyCache.Key([1, 2, 4], feeds, 1),
            LatencyCache.Key(model, Feeds([4, 1]), 1),
            LatencyCache.Key(model, new Dictionary<string, TensorData> { ["x"] = TensorData.Create<double>([1, 4], new double[4]) }, 1),
            LatencyCache.Key(model, feeds, 2),
        ];
        CollectionAssert.AllItemsAreUnique(keys);
        Assert.AreEqual(keys[0], LatencyCache.Key([1, 2, 3], Feeds([1, 4]), 1));
    }

    [TestMethod]
    public void What_another_version_of_ONNX_Runtime_has_taken_is_measured_anew()
    {
        byte[] model = [1, 2, 3];
        var feeds = Feeds([1, 4]);
        Assert.AreEqual(LatencyCache.Key(model, feeds, 1, OrtEnv.Instance().GetVersionString()), LatencyCache.Key(model, feeds, 1));
        Assert.AreNotEqual(LatencyCache.Key(model, feeds, 1, "1.0.0"), LatencyCache.Key(model, feeds, 1));
    }

    [TestMethod]
    public void A_timer_measures_a_model_once()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("latency.json");
        var model = SmallModels.Unary("Neg", ElementType.Float32, "N", 4);
        var first = new ModelTimer(1, new LatencyCache(path)).Measure(model);
        Assert.IsGreaterThan(0, first.Median);
        Assert.AreEqual(first, new ModelTimer(1, new LatencyCache(path)).Measure(model));
        using var session = new OnnxSession(model);
        var key = LatencyCache.Key(model, RandomInputs.For(session, 0, batch: 1), 1);
        var cache = new LatencyCache(path);
        cache.Store(key, Sentinel);
        Assert.AreEqual(Sentinel, new ModelTimer(1, cache).Measure(model));
    }

    private static Dictionary<string, TensorData> Feeds(long[] dims) => new() { ["x"] = TensorData.Create<float>(dims, new float[4]) };
}
