using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using static OnnxNas.Testing.TestTensors;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Tests.Quantization;

/// <summary>The gradient of QuantizeLinear and DequantizeLinear in a row, against its definition.</summary>
[TestClass]
public sealed class StraightThroughTests
{
    private static readonly TensorData X = Uniform(1, -4, 4, 2, 3, 4);

    [TestMethod]
    [DataRow(10, ElementType.UInt8, 100, 1)]
    [DataRow(13, ElementType.Int8, -7, 1)]
    [DataRow(19, ElementType.Int8, 0, 3)]
    [DataRow(23, ElementType.UInt8, 128, 3)]
    public void A_pair_passes_the_gradient_within_the_range_and_none_outside(int opset, ElementType type, int zero, int scales)
    {
        float[] scale = scales == 1 ? [0.013f] : [0.02f, 0.01f, 0.05f];
        var model = Pair(opset, scale, Int64s(1, zero, zero + 1, scales).As(type), X);
        using var scope = NewDisposeScope();
        using var module = new GraphModule(model);
        var x = X.ToTorch();
        x.requires_grad = true;
        var upstream = Normal(2, 2, 3, 4);
        var y = module.Forward(x);
        (y * upstream.ToTorch()).sum().backward();

        var (least, greatest) = type == ElementType.UInt8 ? (0, 255) : (-128, 127);
        var (numbers, factors, gradient) = (X.ToDoubles(), upstream.ToDoubles(), x.grad!.ToTensorData().ToDoubles());
        var inside = numbers.Select((v, i) => Math.Round(v / scale[i / 4 % 3 % scales]) + zero >= least && Math.Round(v / scale[i / 4 % 3 % scales]) + zero <= greatest).ToArray();
        Assert.IsTrue(inside.Contains(true) && inside.Contains(false), "The row must reach beyond the range.");
        for (var i = 0; i < numbers.Length; i++)
            Assert.AreEqual(inside[i] ? factors[i] : 0, gradient[i], 1e-5, $"element {i}, {numbers[i]}");

        // A gradient does not change what is computed.
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        var result = Parity.Compare(y.ToTensorData(), session.Run(new Dictionary<string, TensorData> { ["x"] = X })[0], 1e-6, 1e-6);
        Assert.IsTrue(result.Passed, result.Message);
    }

    [TestMethod]
    public void A_weight_that_the_graph_quantises_is_trained()
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, Shape.Of([2, 3])));
        var weight = Quantised(graph, graph.AddInitializer("w", Uniform(3, -1, 1, 3, 4)), [0.01f], TensorData.Vector<sbyte>(0));
        graph.AddOutput(graph.Call("MatMul", [x, weight]));
        using var scope = NewDisposeScope();
        using var module = new GraphModule(Model(graph, 17));
        Assert.AreEqual("w", module.Parameters.Keys.Single());
        var feed = Normal(4, 2, 3).ToTorch();
        module.Forward(feed).sum().backward();
        var expected = feed.t().matmul(ones(2, 4));
        Assert.IsTrue(module.Parameters["w"].grad!.allclose(expected));
    }

    [TestMethod]
    [DataRow(true)]
    [DataRow(false)]
    public void Integers_that_go_elsewhere_too_stay_integers(bool captured)
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(X.Type, Shape.Of(X.Dims)));
        graph.AddOutput(Quantised(graph, x, [0.05f], TensorData.Vector<sbyte>(3)));
        var integers = graph.Nodes.Single(n => n.OpType == "QuantizeLinear").Output;
        graph.AddOutput(captured ? graph.Call("If", [graph.AddConstant("c", TensorData.Scalar(true))], attributes: [Attr.Of("then_branch", Branch()), Attr.Of("else_branch", Branch())]) : integers);
        using var scope = NewDisposeScope();
        using var module = new GraphModule(Model(graph, 17));
        var feed = X.ToTorch();
        feed.requires_grad = true;
        Assert.AreEqual(ScalarType.Int8, module.Forward(new Dictionary<string, Tensor> { ["x"] = feed })[1].dtype);

        Graph Branch()
        {
            var branch = new Graph("branch", graph);
            branch.AddOutput(branch.Call("Identity", [integers]));
            return branch;
        }
    }

    private static Model Pair(int opset, float[] scale, TensorData zero, TensorData like)
    {
        var graph = new Graph("g");
        var y = Quantised(graph, graph.AddInput("x", new TensorType(like.Type, Shape.Of(like.Dims))), scale, zero);
        y.Type = new TensorType(like.Type, Shape.Of(like.Dims));
        graph.AddOutput(y);
        return Model(graph, opset);
    }

    private static Value Quantised(Graph graph, Value x, float[] scale, TensorData zero)
    {
        var dims = scale.Length == 1 ? Array.Empty<long>() : [scale.Length];
        Value[] parameters = [graph.AddConstant("scale", TensorData.Create<float>(dims, scale)), graph.AddConstant("zero", TensorData.FromBytes(zero.Type, dims, zero.Bytes))];
        Attr[] attributes = scale.Length == 1 ? [] : [Attr.Of("axis", 1)];
        return graph.Call("DequantizeLinear", [graph.Call("QuantizeLinear", [x, .. parameters], attributes: attributes), .. parameters], attributes: attributes);
    }

    private static Model Model(Graph graph, int opset)
    {
        var model = new Model(graph) { IrVersion = opset >= 21 ? 10 : 8 };
        model.OpsetImports[""] = opset;
        return model;
    }
}
