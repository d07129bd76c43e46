using System.Text;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class OnnxSessionTests
{
    [TestMethod]
    [DataRow(ElementType.Float32)]
    [DataRow(ElementType.Float64)]
    [DataRow(ElementType.Float16)]
    [DataRow(ElementType.BFloat16)]
    [DataRow(ElementType.Bool)]
    [DataRow(ElementType.Int8)]
    [DataRow(ElementType.Int16)]
    [DataRow(ElementType.Int32)]
    [DataRow(ElementType.Int64)]
    [DataRow(ElementType.UInt8)]
    [DataRow(ElementType.UInt16)]
    [DataRow(ElementType.UInt32)]
    [DataRow(ElementType.UInt64)]
    public void Every_numeric_type_goes_in_and_comes_out(ElementType type)
    {
        using var session = new OnnxSession(SmallModels.Unary("Identity", type, "N", 3));
        var x = RandomInputs.Draw(type, [2, 3], new SeededRandom(1), 100);
        var y = session.Run(Feed(x)).Single();
        Assert.AreEqual(x.ToString(), y.ToString());
        CollectionAssert.AreEqual(x.Bytes.ToArray(), y.Bytes.ToArray());
    }

    [TestMethod]
    [DataRow(27)]
    [DataRow(28)]
    public void An_opset_newer_than_the_runtime_is_refused_with_the_newest_it_runs(int opset)
    {
        new OnnxSession(Model(26)).Dispose();
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => new OnnxSession(Model(opset)));
        Assert.AreEqual($"ONNX Runtime cannot load the model: it imports opset {opset} of ai.onnx, and the newest one that ONNX Runtime runs is 26. Export it with opset_version=26 or lower.", error.Message);

        static byte[] Model(int version) => SmallModels.Bytes(ElementType.Float32, ["N"], (graph, x) =>
        {
            var y = graph.Call("Neg", [x]);
            y.Type = x.Type;
            return y;
        }, version);
    }

    [TestMethod]
    public void Strings_go_in_and_come_out()
    {
        using var session = new OnnxSession(SmallModels.Unary("Identity", ElementType.String, "N"));
        var x = TensorData.FromStrings([2], [Encoding.UTF8.GetBytes("grün"), ReadOnlyMemory<byte>.Empty]);
        Assert.IsTrue(Parity.Compare(session.Run(Feed(x)).Single(), x).Passed);
    }

    [TestMethod]
    public void Feeds_that_start_at_an_odd_address_are_read_right()
    {
        using var session = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32, "N"));
        var bytes = new byte[1 + 4 * 37];
        for (var i = 0; i < 37; i++)
            BitConverter.TryWriteBytes(bytes.AsSpan(1 + 4 * i), (float)i);
        var y = session.Run(Feed(TensorData.FromBytes(ElementType.Float32, [37], bytes.AsMemory(1)))).Single();
        CollectionAssert.AreEqual(Enumerable.Range(0, 37).Select(i => -(double)i).ToArray(), y.ToDoubles());
    }

    [TestMethod]
    public void Empty_and_scalar_tensors_run()
    {
        using var session = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32, "N", 3));
        Assert.AreEqual("Float32[0,3]", session.Run(Feed(TensorData.Create<float>([0, 3], []))).Single().ToString());
        using var scalar = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32));
        Assert.AreEqual(-2f, scalar.Run(Feed(TensorData.Scalar(2f))).Single().AsSpan<float>()[0]);
    }

    [TestMethod]
    public void Inputs_and_outputs_are_told_with_their_free_extents()
    {
        using var session = new OnnxSession(SmallModels.Bytes(ElementType.Float32, ["N", 3, "2*M"], (graph, x) =>
        {
            var y = graph.AddValue("y", new TensorType(ElementType.Int64, SmallModels.Extents([3])));
            graph.AddNode("Shape", [x], [y]);
            return y;
        }));
        var input = session.Inputs.Single();
        Assert.AreEqual("x: Float32[N,3,2*M]", input.ToString());
        Assert.AreEqual(8, input.Shape![2].Evaluate(new Dictionary<string, long> { ["M"] = 4 }));
        Assert.AreEqual("y: Int64[3]", session.Outputs.Single().ToString());
    }

    [TestMethod]
    public void Outputs_come_in_the_order_asked_for()
    {
        using var session = new OnnxSession(TwoOutputs());
        var x = TensorData.Vector(1f, -2);
        CollectionAssert.AreEqual(new[] { "neg", "abs" }, session.Outputs.Select(o => o.Name).ToArray());
        CollectionAssert.AreEqual(new double[] { 1, 2 }, session.Run(Feed(x), ["abs"]).Single().ToDoubles());
        CollectionAssert.AreEqual(new double[] { -1, 2 }, session.Run(Feed(x), ["abs", "neg"])[1].ToDoubles());
    }

    [TestMethod]
    public void A_feed_that_does_not_fit_is_named()
    {
        using var session = new OnnxSession(SmallModels.Unary("Neg", ElementType.Float32, "N", 3));
        Refuses(session, [], "Input 'x' of the model is not fed");
        Refuses(session, Feed(TensorData.Create<float>([2, 4], new float[8])), "takes Float32[N,3], got Float32[2,4]");
        Refuses(session, Feed(TensorData.Create<float>([3], new float[3])), "takes Float32[N,3], got Float32[3]");
        Refuses(session, Feed(TensorData.Create<double>([1, 3], new double[3])), "takes Float32[N,3], got Float64[1,3]");
        Refuses(session, new() { ["x"] = TensorData.Create<float>([1, 3], new float[3]), ["z"] = TensorData.Scalar(1f) }, "The model has no input 'z'; its inputs are 'x'");
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => session.Run(Feed(TensorData.Create<float>([1, 3], new float[3])), ["q"])).Message, "no output 'q'; its outputs are 'y'");
    }

    [TestMethod]
    public void A_file_that_is_no_model_is_one_clear_line()
    {
        IsOneLine(Assert.ThrowsExactly<ModelFormatException>(() => new OnnxSession([1, 2, 3])), "ONNX Runtime cannot load the model: ");
        IsOneLine(Assert.ThrowsExactly<ModelFormatException>(() => new OnnxSession("/no/such.onnx")), "'/no/such.onnx' cannot be read: No such file or directory.");
    }

    [TestMethod]
    public void An_operator_nobody_knows_is_one_clear_line() =>
        IsOneLine(Assert.ThrowsExactly<ModelFormatException>(() => new OnnxSession(SmallModels.Unary("NoSuchOperator", ElementType.Float32, "N"))), "NoSuchOperator");

    [TestMethod]
    public void An_operator_without_implementation_is_unsupported() =>
        IsOneLine(Assert.ThrowsExactly<UnsupportedOperatorException>(() => new OnnxSession(SmallModels.Unary("HardSigmoid", ElementType.Float64, "N"))), "HardSigmoid");

    [TestMethod]
    public void A_run_that_fails_is_one_clear_line()
    {
        using var session = new OnnxSession(SmallModels.Bytes(ElementType.Float32, ["N"], (graph, x) =>
        {
            var y = graph.AddValue("y", new TensorType(ElementType.Float32));
            graph.AddNode("Reshape", [x, graph.AddInitializer("shape", TensorData.Vector(7L))], [y]);
            return y;
        }));
        IsOneLine(Assert.ThrowsExactly<ModelFormatException>(() => session.Run(Feed(TensorData.Vector(1f, 2)))), "ONNX Runtime fails to run the model: ");
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void A_real_export_gives_the_same_bytes_every_time(bool optimize)
    {
        var path = RepositoryFiles.Shared("models", "shufflenet_v2_x0_5-eval.onnx");
        var options = new OnnxSessionOptions { Threads = 2, GraphOptimization = optimize };
        using var first = new OnnxSession(path, options);
        using var second = new OnnxSession(path, options);
        var feeds = RandomInputs.For(first, seed: 3);
        var y = first.Run(feeds).Single();
        Assert.AreEqual("Float32[2,1000]", y.ToString());
        CollectionAssert.AreEqual(y.Bytes.ToArray(), first.Run(feeds).Single().Bytes.ToArray());
        CollectionAssert.AreEqual(y.Bytes.ToArray(), second.Run(feeds).Single().Bytes.ToArray());
    }

    [TestMethod]
    public void Cases_of_the_onnx_project_give_their_outputs()
    {
        foreach (var name in new[] { "test_add_int16", "test_and3d", "test_argmax_default_axis_random", "test_abs" })
        {
            var folder = RepositoryFiles.Shared("onnx-node-tests", name);
            using var session = new OnnxSession(Path.Combine(folder, "model.onnx"), new OnnxSessionOptions { GraphOptimization = false });
            var set = Path.Combine(folder, "test_data_set_0");
            var feeds = session.Inputs.Select((input, i) => (input.Name, Data: OnnxFile.ReadTensor(Path.Combine(set, $"input_{i}.pb")))).ToDictionary(p => p.Name, p => p.Data);
            var result = Parity.Compare(session.Run(feeds).Single(), OnnxFile.ReadTensor(Path.Combine(set, "output_0.pb")));
            Assert.IsTrue(result.Passed, $"{name}: {result.Message}");
        }
    }

    private static byte[] TwoOutputs() => SmallModels.Bytes(ElementType.Float32, ["N"], (graph, x) =>
    {
        var neg = graph.AddValue("neg", new TensorType(ElementType.Float32, SmallModels.Extents(["N"])));
        var abs = graph.AddValue("abs", new TensorType(ElementType.Float32, SmallModels.Extents(["N"])));
        graph.AddNode("Neg", [x], [neg]);
        graph.AddNode("Abs", [x], [abs]);
        graph.AddOutput(neg);
        return abs;
    });

    private static Dictionary<string, TensorData> Feed(TensorData x) => new() { ["x"] = x };

    private static void Refuses(OnnxSession session, Dictionary<string, TensorData> feeds, string expected) =>
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => session.Run(feeds)).Message, expected);

    private static void IsOneLine(OnnxNasException e, string expected)
    {
        StringAssert.Contains(e.Message, expected);
        Assert.IsFalse(e.Message.Any(c => c is '\r' or '\n'), e.Message);
        Assert.IsFalse(e.Message.Contains("ErrorCode", StringComparison.Ordinal), e.Message);
    }
}
