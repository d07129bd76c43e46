using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class RandomInputsTests
{
    private static readonly TensorInfo[] Infos =
    [
        new("x", ElementType.Float32, SmallModels.Extents(["N", 3, "L"])),
        new("ids", ElementType.Int64, SmallModels.Extents(["L", "2*N+1"])),
        new("mask", ElementType.Bool, new Shape(Dim.Unknown(), Dim.Unknown())),
        new("s", ElementType.Float64, Shape.Scalar),
    ];

    [TestMethod]
    public void Free_extents_become_the_batch_what_is_asked_for_or_8()
    {
        Assert.AreEqual("Float32[4,3,4] Int64[4,9] Bool[4,8] Float64[]", Text(RandomInputs.For(Infos, 1, batch: 4)));
        Assert.AreEqual("Float32[4,3,6] Int64[6,9] Bool[4,8] Float64[]", Text(RandomInputs.For(Infos, 1, batch: 4, symbols: new Dictionary<string, long> { ["L"] = 6 })));

        static string Text(IReadOnlyDictionary<string, TensorData> feeds) => string.Join(' ', Infos.Select(i => feeds[i.Name]));
    }

    [TestMethod]
    public void A_seed_is_a_set_of_tensors()
    {
        var (a, b, c) = (RandomInputs.For(Infos, 1), RandomInputs.For(Infos, 1), RandomInputs.For(Infos, 2));
        CollectionAssert.AreEqual(a["x"].Bytes.ToArray(), b["x"].Bytes.ToArray());
        CollectionAssert.AreNotEqual(a["x"].Bytes.ToArray(), c["x"].Bytes.ToArray());
    }

    [TestMethod]
    public void Whole_numbers_stay_in_range_and_floats_are_standard_normal()
    {
        var ids = RandomInputs.Draw(ElementType.Int64, [1000], new SeededRandom(1)).ToInt64s();
        CollectionAssert.AreEquivalent(new long[] { 0, 1 }, ids.Distinct().ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 9).Select(i => (long)i).ToArray(), RandomInputs.Draw(ElementType.Int64, [1000], new SeededRandom(1), 9).ToInt64s().Distinct().ToArray());
        foreach (var type in new[] { ElementType.Float16, ElementType.BFloat16, ElementType.Float32, ElementType.Float64 })
        {
            var values = RandomInputs.Draw(type, [10_000], new SeededRandom(1)).ToDoubles();
            Assert.AreEqual(0, values.Average(), 0.06);
            Assert.AreEqual(1, values.Average(v => v * v), 0.1);
        }
    }

    [TestMethod]
    public void Inputs_that_are_no_data_are_drawn_from_their_ranges()
    {
        var ranges = new Dictionary<string, ValueRange> { ["ids"] = new(3, 5), ["x"] = new(2, 4), ["s"] = new(2, 4, OfFloats: true) };
        var feeds = RandomInputs.For(Infos, 1, batch: 4, ranges: ranges);
        CollectionAssert.AreEquivalent(new long[] { 3, 4, 5 }, feeds["ids"].ToInt64s().Distinct().ToArray());
        Assert.IsInRange(2, 4, feeds["s"].ToDoubles()[0]);
        CollectionAssert.AreEqual(RandomInputs.For(Infos, 1, batch: 4)["x"].ToDoubles(), feeds["x"].ToDoubles(), "Floats are bound where the range says so only.");
    }

    [TestMethod]
    public void What_cannot_be_drawn_is_named() =>
        StringAssert.Contains(Assert.ThrowsExactly<UnsupportedOperatorException>(() => RandomInputs.For([new("q", ElementType.Undefined, null)], 1)).Message, "'q'");

    [TestMethod]
    public void Extents_that_ask_for_too_much_are_refused_before_anything_is_drawn()
    {
        foreach (var shape in (Shape[])[new(Dim.Known(long.MaxValue)), new(Dim.Known(65_536), Dim.Known(65_536), Dim.Known(65_536)), new(Dim.Symbol("N"), Dim.Known(1L << 62), Dim.Known(4))])
        {
            var error = Assert.ThrowsExactly<ResourceLimitException>(() => RandomInputs.For([new("small", ElementType.Float32, new Shape(2)), new("large", ElementType.Float32, shape)], 1));
            Assert.Contains("'large'", error.Message);
        }

        Assert.HasCount(1, RandomInputs.For([new("x", ElementType.Float64, new Shape(128))], 1, mostBytes: 1024));
        Assert.ThrowsExactly<ResourceLimitException>(() => RandomInputs.For([new("x", ElementType.Float64, new Shape(129))], 1, mostBytes: 1024));
    }

    [TestMethod]
    public void An_extent_that_comes_out_negative_is_refused_by_name()
    {
        var input = new TensorInfo("x", ElementType.Float32, new Shape([Dim.Parse("N-9"), 4]));
        var message = Assert.ThrowsExactly<DataException>(() => RandomInputs.For([input], 1)).Message;
        Assert.Contains("'x'", message);
        Assert.Contains("[-7,4]", message);
    }

    [TestMethod]
    [DataRow("encoder.onnx")]
    [DataRow("recurrent.onnx")]
    [DataRow("unet-baked.onnx")]
    [DataRow("mlp.onnx")]
    public void Real_exports_run_on_what_is_drawn_from_graph_or_session(string name)
    {
        var path = RepositoryFiles.Shared("models", name);
        using var session = new OnnxSession(path);
        var feeds = RandomInputs.For(session, seed: 1);
        Assert.HasCount(session.Outputs.Count, session.Run(feeds));
        var fromGraph = RandomInputs.For(OnnxFile.Read(path), seed: 1);
        foreach (var (input, tensor) in feeds)
            CollectionAssert.AreEqual(tensor.Bytes.ToArray(), fromGraph[input].Bytes.ToArray());
    }
}
