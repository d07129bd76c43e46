using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Evaluation.Tests;

/// <summary>Nets of coarse types against the same nets with every node rounded: right ones pass, ones with a wrong weight do not.</summary>
[TestClass]
public sealed class RoundingToleranceTests
{
    private const double Ulp16 = 1.0 / 1024;

    [TestMethod]
    public void Float32_has_the_tolerance_of_the_gate_alone()
    {
        var (_, output) = Net(ElementType.Float32, layers: 3);
        Assert.AreEqual(Parity.Gate, RoundingTolerance.Of(output).Absolute(TensorData.Vector(5f)));
    }

    [TestMethod]
    public void It_grows_with_the_output_and_like_the_root_of_the_roundings()
    {
        // x is cast, and each layer rounds twice.
        foreach (var layers in new[] { 1, 4 })
        {
            var (_, output) = Net(ElementType.Float16, layers);
            var expected = Parity.Gate + (2 + Math.Sqrt(1 + 2 * layers)) * Ulp16 * 3;
            Assert.AreEqual(expected, RoundingTolerance.Of(output).Absolute(TensorData.Vector(1f, -3f, float.NaN)), 1e-12);
        }
    }

    [TestMethod]
    public void Halves_in_weights_alone_round_nothing()
    {
        var graph = new Graph("g");
        var half = graph.AddInitializer("w", TensorData.Create<Half>([2, 2], [(Half)1, (Half)2, (Half)3, (Half)4]));
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(1, 2)));
        var w = graph.Call("Cast", [half], attributes: [Attr.Of("to", (long)ElementType.Float32)]);
        w.Type = new TensorType(ElementType.Float32, new Shape(2, 2));
        var y = graph.Call("MatMul", [x, w]);
        y.Type = x.Type;
        Assert.AreEqual(Parity.Gate, RoundingTolerance.Of(y).Absolute(TensorData.Vector(5f)));
    }

    [TestMethod]
    public void Bytes_made_of_floats_may_differ_by_one_step_and_others_not_at_all()
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(4)));
        var (scale, zero) = (graph.AddInitializer("s", TensorData.Scalar(0.1f)), graph.AddInitializer("z", TensorData.Scalar((byte)3)));
        var q = graph.Call("QuantizeLinear", [x, scale, zero]);
        q.Type = new TensorType(ElementType.UInt8, x.Shape);
        var bytes = TensorData.Vector<byte>(1, 2);
        Assert.AreEqual(1, RoundingTolerance.Of(q).Absolute(bytes));
        Assert.IsTrue(Parity.Compare(TensorData.Vector<byte>(2, 2), bytes, RoundingTolerance.Of(q).Absolute(bytes)).Passed);
        Assert.IsFalse(Parity.Compare(TensorData.Vector<byte>(3, 2), bytes, RoundingTolerance.Of(q).Absolute(bytes)).Passed);
        var given = graph.AddInput("b", new TensorType(ElementType.UInt8, x.Shape));
        var same = graph.Call("Identity", [given]);
        same.Type = given.Type;
        Assert.AreEqual(Parity.Gate, RoundingTolerance.Of(same).Absolute(bytes));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(4)]
    [DataRow(16)]
    public void A_net_in_halves_agrees_with_itself_in_floats_and_not_with_one_wrong_weight(int layers)
    {
        var (_, output) = Net(ElementType.Float16, layers);
        var (fine, _) = Net(ElementType.Float32, layers);
        var (a, b) = (RunRounded(fine), Run(fine));
        Assert.IsFalse(Parity.Compare(a, b).Passed);
        var tolerance = RoundingTolerance.Of(output).Absolute(b);
        var result = Parity.Compare(a, b, tolerance);
        Assert.IsTrue(result.Passed, result.Message);
        // A weight of the last layer, of which there are 64, off by a quarter of what is usual.
        var (mutant, _) = Net(ElementType.Float32, layers, wrong: 0.1f);
        Assert.IsFalse(Parity.Compare(Run(mutant), b, tolerance).Passed);
    }

    private static TensorData Run(Model model)
    {
        using var session = new OnnxSession(OnnxFile.ToBytes(model), new() { GraphOptimization = false });
        return session.Run(RandomInputs.For(session, 3, 8))[0];
    }

    // Every number rounded as soon as it is made.
    private static TensorData RunRounded(Model model)
    {
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        var x = RandomInputs.For(session, 3, 8).Values.Single();
        var h = Array.ConvertAll(x.AsSpan<float>().ToArray(), v => (double)(Half)v);
        foreach (var w in model.Graph.Initializers.Select(i => i.Initializer!.ToDoubles()))
        {
            var rows = h;
            h = [.. Enumerable.Range(0, 64).Select(at => (double)(Half)Enumerable.Range(0, 8).Sum(k => rows[at / 8 * 8 + k] * w[k * 8 + at % 8]))];
            h = Array.ConvertAll(h, v => (double)(Half)Math.Tanh(v));
        }

        return TensorData.Create<float>(x.Dims, [.. h.Select(v => (float)v)]);
    }

    // Cast, then layers of MatMul and Tanh, and a Cast back: types only inside.
    private static (Model Model, Value Output) Net(ElementType type, int layers, float wrong = 0)
    {
        var graph = new Graph("g");
        var random = new SeededRandom(5);
        var h = Cast(graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 8))), type);
        for (var i = 0; i < layers; i++)
        {
            var numbers = Enumerable.Range(0, 64).Select(_ => (float)(Half)(0.4 * random.NextGaussian())).ToArray();
            if (i == layers - 1)
                numbers[11] += wrong;
            var w = graph.AddInitializer($"w{i}", type == ElementType.Float32 ? TensorData.Create<float>([8, 8], numbers) : TensorData.Create<Half>([8, 8], [.. numbers.Select(n => (Half)n)]));
            h = Typed(graph.Call("Tanh", [Typed(graph.Call("MatMul", [h, w]), type)]), type);
        }

        var y = Cast(h, ElementType.Float32);
        graph.AddOutput(y);
        var model = new Model(graph);
        model.OpsetImports[""] = 17;
        return (model, y);

        Value Cast(Value value, ElementType to) => Typed(graph.Call("Cast", [value], attributes: [Attr.Of("to", (long)to)]), to);

        static Value Typed(Value value, ElementType element)
        {
            value.Type = new TensorType(element, new Shape(Dim.Symbol("N"), 8));
            return value;
        }
    }
}
