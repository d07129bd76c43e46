using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Tests;
using OnnxNas.Search.Choices;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Fuzz.Parents;

/// <summary>Small models of every sort that the tool reads, and the rows of all operators' tests as models of one node.</summary>
internal static class OwnModels
{
    // A network is drawn as often as this many models of one node.
    private const int Weight = 70;
    // One row of so many becomes a model with a choice, for prune to decide.
    private const int MarkedEvery = 3;
    private static readonly Dim N = Dim.Symbol("N");

    public static IReadOnlyList<ParentModel> All()
    {
        var networks = Networks().Select(n => Parent(n.Name, n.Model)).Append(WithExternalData()).ToList();
        var rows = OperatorRows.All.Where(row => row.Refusal is null).Select((row, i) => Parent($"{i} {row}", Row(row, i)));
        return [.. Enumerable.Repeat(networks, Weight).SelectMany(n => n), .. rows];
    }

    private static ParentModel Parent(string name, Model model) => new(name, OnnxFile.ToBytes(model));

    private static Model Row(OperatorCase row, int number)
    {
        var model = OperatorModel.Build(row, weightsFixed: number % 2 == 0);
        var output = model.Graph.Outputs[0];
        if (number % MarkedEvery != 0 || output.Type is not TensorType)
            return model;
        var other = model.Graph.Call("Identity", [output]);
        var chosen = model.Graph.Call("LayerChoice", [output, other], "chosen", "org.onnxnas", [Attr.Of("label", "row")]);
        (other.Type, chosen.Type) = (output.Type, output.Type);
        model.Graph.ReplaceOutput(0, chosen);
        model.OpsetImports["org.onnxnas"] = 1;
        return model;
    }

    private static IEnumerable<(string Name, Model Model)> Networks()
    {
        yield return ("plain layers", Plain());
        yield return ("convolutions", Convolutions());
        yield return ("layer and input choices", Marked());
        yield return ("stamped choices", Stamped(Marked()));
        yield return ("nested choices", Nested());
        yield return ("masked channels", Masked());
        yield return ("loop over a body that captures", Loop());
        yield return ("if with branches", Branches());
        yield return ("functions", Functions());
        yield return ("recurrent", Recurrent());
        yield return ("sixteen bit", SixteenBit());
        yield return ("quantised", Quantised());
        yield return ("shape arithmetic", ShapeArithmetic());
    }

    private static Model Plain()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 6);
        var h = net.Op("Relu", net.BatchNorm("bn", net.Linear("a", x, 6, 8), 8));
        h = net.Op("Add", h, net.Op("Tanh", net.Linear("b", h, 8, 8)));
        return net.Build((net.Op("Softmax", net.Linear("head", h, 8, 3)), [N, 3]));
    }

    private static Model Convolutions()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 3, 8, 8);
        var h = net.Op("Conv", [x, net.Weight("w1", 4, 3, 3, 3), net.Weight("b1", 4)], Attr.Of("pads", [1L, 1, 1, 1]), Attr.Of("kernel_shape", [3L, 3]));
        h = net.Op("MaxPool", [net.Op("Relu", net.BatchNorm("bn", h, 4))], Attr.Of("kernel_shape", [2L, 2]), Attr.Of("strides", [2L, 2]));
        h = net.Op("Conv", [h, net.Weight("w2", 4, 1, 3, 3)], Attr.Of("group", 4L), Attr.Of("auto_pad", "SAME_UPPER"));
        h = net.Op("Concat", [h, net.Op("AveragePool", [h], Attr.Of("kernel_shape", [3L, 3]), Attr.Of("pads", [1L, 1, 1, 1]))], Attr.Of("axis", 1L));
        h = net.Op("Flatten", net.Op("GlobalAveragePool", h));
        return net.Build((net.Linear("head", h, 8, 2), [N, 2]));
    }

    private static Model Marked()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var h = net.LayerChoice("op", ["linear", "tanh", "none"], net.Linear("a", x, 4, 4), net.Op("Tanh", x), net.Op("Mul", x, net.Constant("zero", [], _ => 0)));
        var i = net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h));
        var j = net.InputChoice("any", 0, "mean", i, x);
        var k = net.InputChoice("joined", 2, "concat", j, i, h);
        var y = net.LayerChoice("last", null, net.Linear("b", k, 8, 2), net.Linear("c", k, 8, 2));
        return net.Build((y, [N, 2]));
    }

    private static Model Stamped(Model model)
    {
        MarkerFunctions.Stamp(model);
        return model;
    }

    private static Model Nested()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, net.Op("Relu", x), net.Op("Sigmoid", x), x);
        var outer = net.LayerChoice("outer", ["deep", "flat"], net.Linear("a", inner, 4, 4), net.Linear("b", x, 4, 4));
        var again = net.LayerChoice("inner", null, net.Op("Relu", outer), net.Op("Tanh", outer), net.Op("Neg", outer));
        var prior = net.Graph.Call("LayerChoice", [again, outer], "prior", "org.onnxnas", [Attr.Of("label", "prior"), Attr.Of("prior", [0.2f, 0.8f])]);
        return net.Build((net.Linear("head", prior, 4, 2), [N, 2]));
    }

    // Width as a choice among masks of one weight.
    private static Model Masked()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 2, 4, 4);
        Value[] masks = [net.Constant("half", [4, 1, 1, 1], i => i < 2 ? 1 : 0), net.Constant("whole", [4, 1, 1, 1], _ => 1)];
        var weight = net.Weight("w", 4, 2, 3, 3);
        var chosen = net.LayerChoice("width", ["2", "4"], [.. masks.Select(m => net.Op("Mul", weight, m))]);
        var h = net.Op("Conv", [x, chosen], Attr.Of("pads", [1L, 1, 1, 1]));
        h = net.Op("Conv", net.Op("Relu", h), net.Weight("w2", 2, 4, 1, 1));
        return net.Build((net.Op("Flatten", h), [N, 32]));
    }

    private static Model Loop()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var weight = net.Weight("w", 4, 4);
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var go = body.AddInput("go", new TensorType(ElementType.Bool, Shape.Scalar));
        var carried = body.AddInput("v", new TensorType(ElementType.Float32, new Shape([N, Dim.Known(4)])));
        body.AddOutput(body.Call("Identity", [go]));
        body.AddOutput(body.Call("Tanh", [body.Call("MatMul", [carried, weight])]));
        body.Outputs[0].Type = go.Type;
        body.Outputs[1].Type = carried.Type;
        var y = net.Op("Loop", [net.Graph.AddConstant("trips", TensorData.Scalar(3L)), net.Graph.AddConstant("start", TensorData.Scalar(true)), x], Attr.Of("body", body));
        return net.Build((net.Linear("head", y, 4, 2), [N, 2]));
    }

    private static Model Branches()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var condition = net.Op("Greater", net.Op("ReduceSum", [x], Attr.Of("keepdims", 0L)), net.Constant("limit", [], _ => 0));
        var y = net.Op("If", [condition], Attr.Of("then_branch", Branch("Relu")), Attr.Of("else_branch", Branch("Neg")));
        var marked = net.LayerChoice("op", null, net.Linear("a", y, 4, 2), net.Linear("b", y, 4, 2));
        return net.Build((marked, [N, 2]));

        Graph Branch(string op)
        {
            var graph = new Graph(op, net.Graph);
            var value = graph.Call(op, [x]);
            value.Type = x.Type;
            graph.AddOutput(value);
            return graph;
        }
    }

    private static Model Functions()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = net.Graph.Call("Twice", [net.Linear("a", x, 4, 4)], domain: "local", attributes: [Attr.Of("slope", 0.2f)]);
        var model = net.Build((net.LayerChoice("op", null, y, x), [N, 4]));
        model.OpsetImports["local"] = 1;
        var leaky = new Function("local", "Leaky", new Graph("Leaky"));
        leaky.Body.AddOutput(leaky.Body.Call("LeakyRelu", [leaky.Body.AddInput("v")], attributes: [Attr.Reference("alpha", AttrKind.Float, "slope")]));
        leaky.AttributeNames.Add("slope");
        leaky.OpsetImports[""] = 17;
        var twice = new Function("local", "Twice", new Graph("Twice"));
        var once = twice.Body.Call("Leaky", [twice.Body.AddInput("v")], domain: "local", attributes: [Attr.Reference("slope", AttrKind.Float, "slope")]);
        twice.Body.AddOutput(twice.Body.Call("Leaky", [once], domain: "local", attributes: [Attr.Of("slope", 0.5f)]));
        twice.AttributeNames.Add("slope");
        (twice.OpsetImports[""], twice.OpsetImports["local"]) = (17, 1);
        model.Functions.Add(leaky);
        model.Functions.Add(twice);
        return model;
    }

    private static Model Recurrent()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Known(5), N, 3);
        var (y, last) = (net.Graph.AddValue("seq"), net.Graph.AddValue("last"));
        net.Graph.AddNode("LSTM", [x, net.Weight("w", 1, 16, 3), net.Weight("r", 1, 16, 4), net.Weight("b", 1, 32)], [y, last], attributes: [Attr.Of("hidden_size", 4L)], name: "lstm");
        var gru = net.Op("GRU", [x, net.Weight("w2", 1, 12, 3), net.Weight("r2", 1, 12, 4)], Attr.Of("hidden_size", 4L), Attr.Of("linear_before_reset", 1L));
        var chosen = net.LayerChoice("cell", ["lstm", "gru"], y, gru);
        var mean = net.Op("ReduceMean", [chosen], Attr.Of("axes", [0L, 1]), Attr.Of("keepdims", 0L));
        return net.Build((net.Linear("head", mean, 4, 2), [N, 2]));
    }

    private static Model SixteenBit()
    {
        var net = new NetBuilder();
        var x = net.Graph.AddInput("x", new TensorType(ElementType.Float16, new Shape([N, Dim.Known(4)])));
        Value Weight(string name, int seed, params long[] dims) => net.Graph.AddInitializer(name, Uniform(seed, -0.1f, 0.1f, dims).As(ElementType.Float16));
        var h = net.Op("Relu", net.Op("Gemm", x, Weight("w", 1, 4, 4), Weight("b", 2, 4)));
        h = net.LayerChoice("op", null, net.Op("MatMul", h, Weight("w2", 3, 4, 4)), net.Op("Tanh", h));
        var y = net.Op("Cast", [h], Attr.Of("to", (long)ElementType.Float32));
        return net.Build((net.Linear("head", y, 4, 2), [N, 2]));
    }

    private static Model Quantised()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (scale, zero) = (net.Constant("scale", [], _ => 0.05), net.Graph.AddInitializer("zero", TensorData.Scalar((byte)128)));
        var q = net.Op("DequantizeLinear", net.Op("QuantizeLinear", x, scale, zero), scale, zero);
        var weight = net.Op("DequantizeLinear", net.Graph.AddInitializer("wq", Int64s(4, -100, 100, 4, 4).As(ElementType.Int8)), net.Constant("wscale", [], _ => 0.01));
        return net.Build((net.LayerChoice("op", null, net.Op("MatMul", q, weight), net.Op("MatMulInteger", net.Op("Cast", [x], Attr.Of("to", (long)ElementType.UInt8)),
            net.Graph.AddInitializer("wi", Int64s(5, -9, 9, 4, 4).As(ElementType.Int8))) is var integer ? net.Op("Cast", [integer], Attr.Of("to", (long)ElementType.Float32)) : q), [N, 4]));
    }

    // Reshape, Slice, Gather and Split by constants, and by arithmetic on the shape of the input.
    private static Model ShapeArithmetic()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4, 6);
        Value Int(string name, params long[] values) => net.Graph.AddInitializer(name, TensorData.Vector<long>(values));
        var batch = net.Op("Gather", net.Op("Shape", x), Int("first", 0));
        var flat = net.Op("Reshape", x, net.Op("Concat", [batch, Int("rest", -1)], Attr.Of("axis", 0L)));
        var part = net.Op("Slice", flat, Int("starts", 0), Int("ends", 16), Int("axes", 1), Int("steps", 2));
        var wide = net.Op("Tile", net.Op("Unsqueeze", part, Int("at", 1)), Int("repeats", 1, 3, 1));
        var padded = net.Op("Pad", wide, Int("pads", 0, 1, 0, 0, 1, 0));
        var moved = net.Op("Transpose", [net.Op("Expand", padded, Int("extents", 1, 5, 8))], Attr.Of("perm", [0L, 2, 1]));
        return net.Build((net.Op("ReduceSum", moved, Int("over", 2)), [N, 8, 1]));
    }

    private static ParentModel WithExternalData()
    {
        using var folder = new TemporaryFolder();
        var net = new NetBuilder();
        var x = net.Input("x", N, 16);
        var y = net.LayerChoice("op", null, net.Linear("a", x, 16, 20), net.Linear("b", x, 16, 20));
        OnnxFile.Write(net.Build((y, [N, 20])), folder.File("model.onnx"), new WriteOptions { ExternalData = true });
        return new("external data", File.ReadAllBytes(folder.File("model.onnx")))
        {
            Files = new Dictionary<string, byte[]> { ["model.onnx.data"] = File.ReadAllBytes(folder.File("model.onnx.data")) },
        };
    }
}
