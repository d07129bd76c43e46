using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.ControlFlow;

[TestClass]
public sealed class ControlFlowTests
{
    private static readonly TensorData X = Normal(1, 2, 3);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from taken in new[] { true, false }
           from opset in new[] { 11, 16 }
           select new OperatorCase($"{taken}", opset, "If", TensorData.Scalar(taken)) { Attributes = [Attr.Of("then_branch", Constant(1)), Attr.Of("else_branch", Constant(2))] },
        new("a constant condition", 16, "If", TensorData.Scalar(true)) { Constants = [0], Attributes = [Attr.Of("then_branch", Constant(1, 4)), Attr.Of("else_branch", Constant(2, 5))] },
        .. from taken in new[] { true, false }
           select new OperatorCase($"captured, {taken}", 16, "If", TensorData.Scalar(taken), X, Normal(2, 2, 3))
           {
               Captured = 2,
               Bodies = (graph, values) => [Attr.Of("then_branch", Product(graph, values[0], values[1])), Attr.Of("else_branch", Product(graph, values[1], values[1]))],
           },
        new("two conditions", 16, "If", TensorData.Vector(true, true)) { Attributes = [Attr.Of("then_branch", Constant(1)), Attr.Of("else_branch", Constant(2))], Refusal = "one bool" },
        .. from opset in new[] { 11, 16 }
           select new OperatorCase("three rounds", opset, "Loop", TensorData.Scalar(3L), TensorData.Scalar(true), X) { Outputs = 2, Constants = [0, 1], DynamicShape = true, Attributes = [Attr.Of("body", Doubling())] },
        new("without a condition", 16, "Loop", TensorData.Scalar(2L), null, X) { Outputs = 2, Constants = [0], DynamicShape = true, Attributes = [Attr.Of("body", Doubling())] },
        new("no round", 16, "Loop", TensorData.Scalar(0L), TensorData.Scalar(true), X) { Outputs = 2, DynamicShape = true, Attributes = [Attr.Of("body", Doubling([2, 3]))] },
        new("never entered", 16, "Loop", TensorData.Scalar(3L), TensorData.Scalar(false), X) { Outputs = 2, DynamicShape = true, Attributes = [Attr.Of("body", Doubling([2, 3]))] },
        new("endless", 16, "Loop", null, null, X) { Outputs = 2, Attributes = [Attr.Of("body", Doubling())], Refusal = "neither M nor" },
        .. from opset in new[] { 9, 11, 16 }
           select new OperatorCase("running sum", opset, "Scan", Normal(2, 3), Normal(1, 4, 3)) { Outputs = 2, Attributes = [Attr.Of("num_scan_inputs", 1), Attr.Of("body", RunningSum())] },
        new("truth values", 16, "Scan", TensorData.Vector(true, false, true), Int64s(1, 0, 2, 4, 3).As(ElementType.Bool)) { Outputs = 2, Attributes = [Attr.Of("num_scan_inputs", 1), Attr.Of("body", Running("And", "Or", ElementType.Bool))] },
        new("another axis, in reverse", 16, "Scan", Normal(2, 3), Normal(1, 3, 4))
        {
            Outputs = 2,
            Attributes =
            [
                Attr.Of("num_scan_inputs", 1), Attr.Of("body", RunningSum()), Attr.Of("scan_input_axes", [1L]), Attr.Of("scan_input_directions", [1L]),
                Attr.Of("scan_output_axes", [-1L]), Attr.Of("scan_output_directions", [1L]),
            ],
        },
        new("of a batch", 8, "Scan", null, Normal(2, 2, 3), Normal(1, 2, 4, 3)) { Outputs = 2, Attributes = [Attr.Of("num_scan_inputs", 1), Attr.Of("body", RunningSum())], NoOracle = "ONNX's own case covers it" },
        new("nothing to scan", 16, "Scan", Normal(2, 3), Normal(1, 0, 3)) { Outputs = 2, Attributes = [Attr.Of("num_scan_inputs", 1), Attr.Of("body", RunningSum())], Refusal = "nothing to scan" },
        new("too few inputs", 16, "Scan", Normal(2, 3)) { Outputs = 2, Attributes = [Attr.Of("num_scan_inputs", 2), Attr.Of("body", RunningSum())], Refusal = "num_scan_inputs" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    public void A_body_reads_values_around_it_and_gradients_flow_to_them()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, Shape.Of([2, 3])));
        var w = graph.AddInitializer("w", Normal(3, 3, 3));
        var trips = graph.AddInitializer("trips", TensorData.Scalar(2L));
        var body = new Graph("body", graph);
        body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var condition = body.AddInput("c", new TensorType(ElementType.Bool, Shape.Scalar));
        var carried = body.AddInput("v");
        var product = body.Call("MatMul", [carried, w]);
        body.AddOutput(body.Call("Identity", [condition]));
        body.AddOutput(product);
        graph.AddOutput(graph.Call("Loop", [trips, null, x], attributes: [Attr.Of("body", body)]));
        var model = new Model(graph);
        model.OpsetImports[""] = 17;
        using var module = new GraphModule(model);
        using var feed = X.ToTorch();

        using var y = module.Forward(feed);
        using var sum = y.sum();
        sum.backward();

        Assert.AreEqual("w", module.Parameters.Keys.Single());
        using var weight = module.Parameters["w"].detach().requires_grad_();
        using var expected = feed.matmul(weight).matmul(weight);
        using var expectedSum = expected.sum();
        expectedSum.backward();
        Assert.IsTrue(y.allclose(expected));
        Assert.IsTrue(module.Parameters["w"].grad!.allclose(weight.grad!));
    }

    private static Graph Product(Graph outer, Value a, Value b)
    {
        var graph = new Graph("branch", outer);
        var value = graph.Call("Mul", [a, b]);
        value.Type = a.Type;
        graph.AddOutput(value);
        return graph;
    }

    private static Graph Constant(int seed, int extent = 3)
    {
        var graph = new Graph($"branch{seed}");
        var value = graph.Call("Constant", [], attributes: [Attr.Of("value", Normal(seed, extent))]);
        value.Type = new TensorType(ElementType.Float32, Shape.Of([extent]));
        graph.AddOutput(value);
        return graph;
    }

    // v, i → 2·v, sum of v
    private static Graph Doubling(long[]? shape = null)
    {
        var graph = new Graph("body");
        graph.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
        var condition = graph.AddInput("c", new TensorType(ElementType.Bool, Shape.Scalar));
        var v = graph.AddInput("v", new TensorType(ElementType.Float32, shape is null ? null : Shape.Of(shape)));
        graph.AddOutput(graph.Call("Identity", [condition]));
        graph.AddOutput(graph.Call("Add", [v, v]));
        graph.AddOutput(graph.Call("Mul", [v, v]));
        foreach (var output in graph.Outputs)
            output.Type = output == graph.Outputs[0] ? new TensorType(ElementType.Bool, Shape.Scalar) : v.Type;
        return graph;
    }

    private static Graph RunningSum() => Running("Add", "Mul", ElementType.Float32);

    // s, x → the first operator's result, carried; the second's, scanned
    private static Graph Running(string carried, string scanned, ElementType type)
    {
        var graph = new Graph("body");
        var state = graph.AddInput("s", new TensorType(type, Shape.Of([3])));
        var next = graph.AddInput("x", new TensorType(type, Shape.Of([3])));
        graph.AddOutput(graph.Call(carried, [state, next]));
        graph.AddOutput(graph.Call(scanned, [state, next]));
        foreach (var output in graph.Outputs)
            output.Type = state.Type;
        return graph;
    }
}
