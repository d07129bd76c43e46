using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests;

/// <summary>Operators as they were at opset 6, against ONNX Runtime on what they mean at opset 7 (it has none of the older kernels).</summary>
[TestClass]
public sealed class OpsetSixTests
{
    public static IEnumerable<string> Cases { get; } = OnnxNodeCases.Folders("onnx-model-tests/pytorch-operator");

    [TestMethod]
    [DynamicData(nameof(Cases))]
    public void Cases_of_exported_operators_hold(string name) => OnnxNodeCases.Check(name, root: "onnx-model-tests/pytorch-operator");

    [TestMethod]
    [DataRow("Add", 1L, "3", "3,1,1")]
    [DataRow("Sub", 1L, "3,4", "3,4,1")]
    [DataRow("Mul", -3L, "3", "3,1,1")]
    [DataRow("Div", null, "4,5", "4,5")]
    [DataRow("Pow", null, "1,1", "1,1")]
    [DataRow("Greater", 0L, "2", "2,1,1,1")]
    public void B_stands_at_the_axis_that_the_node_names(string op, long? axis, string dims, string placed)
    {
        var a = Uniform(1, 0.5f, 2, 2, 3, 4, 5);
        var b = Uniform(2, 0.5f, 2, Parse(dims));
        Attr[] attributes = axis is { } at ? [Attr.Of("broadcast", 1), Attr.Of("axis", at)] : [Attr.Of("broadcast", 1)];
        AssertSame(Build(6, op, attributes, a, b), Build(op == "Greater" ? 9 : 7, op, [], a, TensorData.FromBytes(b.Type, Parse(placed), b.Bytes)));
    }

    [TestMethod]
    [DataRow("Add")]
    [DataRow("Equal")]
    [DataRow("Gemm")]
    public void Shapes_that_differ_are_refused_without_broadcast(string op)
    {
        TensorData[] inputs = op == "Gemm" ? [Normal(1, 3, 3), Normal(2, 3, 3), Normal(3, 3)] : op == "Equal" ? [Int64s(2, 0, 5, 3, 3), Int64s(2, 0, 5, 3)] : [Normal(1, 3, 3), Normal(2, 3)];
        var built = Build(6, op, [], inputs);
        using var module = new GraphModule(built.Model);
        var error = Assert.ThrowsExactly<ShapeInferenceException>(() => module.Evaluate(built.Feeds));
        StringAssert.Contains(error.Message, "'broadcast'");
    }

    [TestMethod]
    public void A_vector_of_slopes_is_one_for_each_channel()
    {
        var (x, slope) = (Normal(1, 2, 3, 4, 4), Normal(2, 3));
        AssertSame(Build(6, "PRelu", [], x, slope), Build(7, "PRelu", [], x, TensorData.FromBytes(slope.Type, [3, 1, 1], slope.Bytes)));
    }

    [TestMethod]
    public void Upsample_takes_a_scale_for_each_direction()
    {
        var x = Normal(1, 1, 2, 3, 4);
        AssertSame(
            Build(6, "Upsample", [Attr.Of("height_scale", 2f), Attr.Of("width_scale", 3f)], x),
            Build(7, "Upsample", [Attr.Of("scales", [1f, 1f, 2f, 3f])], x));
    }

    [TestMethod]
    public void Normalisation_in_test_form_is_the_one_of_opset_seven()
    {
        TensorData[] inputs = [Normal(1, 2, 3, 4), Normal(2, 3), Normal(3, 3), Normal(4, 3), Uniform(5, 0.5f, 2, 3)];
        AssertSame(Build(6, "BatchNormalization", [Attr.Of("is_test", 1)], inputs), Build(7, "BatchNormalization", [], inputs));
    }

    [TestMethod]
    public void An_operator_whose_version_is_too_old_is_refused_by_name()
    {
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => new GraphModule(Build(5, "Add", [], Normal(1, 2), Normal(2, 2)).Model));
        StringAssert.Contains(error.Message, "Add");
        StringAssert.Contains(error.Message, "from opset 6 on, the model imports 5");
    }

    private static void AssertSame(Built old, Built twin)
    {
        using var module = new GraphModule(old.Model);
        using var session = new OnnxSession(OnnxFile.ToBytes(twin.Model));
        var result = Parity.Compare(module.Evaluate(old.Feeds)[0], session.Run(twin.Feeds)[0], 1e-5, 1e-5);
        Assert.IsTrue(result.Passed, result.Message);
    }

    private static Built Build(int opset, string op, Attr[] attributes, params TensorData[] inputs)
    {
        var graph = new Graph("case");
        foreach (var (data, i) in inputs.Select((data, i) => (data, i)))
            graph.AddInput($"i{i}", new TensorType(data.Type, Shape.Of(data.Dims)));
        var output = graph.Call(op, graph.Inputs, attributes: attributes);
        output.Type = new TensorType(op is "Greater" or "Equal" ? ElementType.Bool : inputs[0].Type);
        graph.AddOutput(output);
        var model = new Model(graph);
        model.OpsetImports[""] = opset;
        return new(model, graph.Inputs.Zip(inputs).ToDictionary(p => p.First.Name, p => p.Second));
    }

    private static long[] Parse(string dims) => [.. dims.Split(',').Select(long.Parse)];

    private sealed record Built(Model Model, Dictionary<string, TensorData> Feeds);
}
