using Google.Protobuf;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using static OnnxNas.Ir.Tests.Serialization.TestModels;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>What the IR shows of a file.</summary>
[TestClass]
public sealed class ReadingTests
{
    [TestMethod]
    public void A_model_shows_its_origin_and_operator_sets()
    {
        var proto = Relu();
        (proto.ProducerName, proto.ProducerVersion, proto.Domain, proto.ModelVersion, proto.DocString) = ("p", "", "d", 3, "doc");
        proto.OpsetImport[0].Domain = "ai.onnx";
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "org.onnxnas", Version = 1 });
        proto.MetadataProps.Add(new StringStringEntryProto { Key = "k", Value = "v" });
        var model = OnnxFile.Read(proto.ToByteArray());
        Assert.AreEqual(8, model.IrVersion);
        Assert.AreEqual("p", model.ProducerName);
        Assert.AreEqual("", model.ProducerVersion);
        Assert.AreEqual("d", model.Domain);
        Assert.AreEqual(3, model.ModelVersion);
        Assert.AreEqual("doc", model.DocString);
        Assert.AreEqual(17, model.Opset);
        Assert.AreEqual(1, model.OpsetImports["org.onnxnas"]);
        Assert.AreEqual("v", model.Metadata["k"]);
        Assert.IsNull(OnnxFile.Read(Relu().ToByteArray()).ProducerVersion);
    }

    [TestMethod]
    public void Nodes_are_linked_to_the_values_they_read_and_make()
    {
        var proto = Relu();
        proto.Graph.Node.Add(new NodeProto { OpType = "Clip", Domain = "ai.onnx", Input = { "y", "", "x" }, Output = { "", "z" }, DocString = "d" });
        proto.Graph.ValueInfo.Add(Info("z"));
        var graph = OnnxFile.Read(proto.ToByteArray()).Graph;
        var clip = graph.Last!;
        Assert.AreEqual("", clip.Domain);
        Assert.AreEqual("d", clip.DocString);
        Assert.AreSame(graph.First!.Output, clip.Inputs[0]);
        Assert.IsNull(clip.Inputs[1]);
        Assert.AreSame(graph.Inputs[0], clip.Inputs[2]);
        Assert.IsNull(clip.Outputs[0]);
        Assert.AreSame(clip, graph.Find("z")!.Producer);
        Assert.AreEqual("Float32[2,4]", graph.Find("z")!.Type!.ToString());
        Assert.AreEqual(new Use(clip, 2), graph.Inputs[0].Uses[1]);
    }

    [TestMethod]
    public void An_initializer_that_is_an_input_too_is_both()
    {
        var proto = Add(Floats(1, 2, 3, 4));
        proto.Graph.Input.Add(new ValueInfoProto { Name = "w" });
        var graph = OnnxFile.Read(proto.ToByteArray()).Graph;
        var w = graph.Find("w")!;
        Assert.IsTrue(w.IsInput);
        Assert.AreEqual(ElementType.Float32, w.Initializer!.Type);
        Assert.AreEqual(TensorStorage.Typed, w.Initializer.Storage);
        CollectionAssert.AreEqual(new float[] { 1, 2, 3, 4 }, w.Initializer.AsSpan<float>().ToArray());
    }

    [TestMethod]
    public void A_subgraph_captures_values_of_the_graphs_around_it()
    {
        var proto = Relu();
        var inner = new GraphProto { Name = "then", Node = { Node("Neg", ["y"], ["n"]) }, Output = { Info("n") } };
        var branch = Node("If", ["x"], ["r"]);
        branch.Attribute.Add(new AttributeProto { Name = "then_branch", Type = AttributeProto.Types.AttributeType.Graph, G = inner });
        proto.Graph.Node.Add(branch);
        var graph = OnnxFile.Read(proto.ToByteArray()).Graph;
        var then = graph.Last!.Attribute("then_branch")!.AsGraph();
        Assert.AreSame(graph, then.Outer);
        Assert.AreSame(graph.Find("y"), then.First!.Inputs[0]);
        Assert.AreSame(graph.Find("y"), then.Captured().Single());
    }

    [TestMethod]
    public void Dims_are_numbers_expressions_or_unknown()
    {
        var proto = Relu();
        var dims = proto.Graph.Input[0].Type.TensorType.Shape.Dim;
        dims.Clear();
        dims.Add([new() { DimValue = 3 }, new() { DimParam = "1+2*N" }, new() { DimValue = -1 }, new() { DimParam = "" }, new(), new() { DimParam = "what?" }]);
        var shape = OnnxFile.Read(proto.ToByteArray()).Graph.Inputs[0].Shape!;
        Assert.AreEqual("[3,1+2*N,?,?,?,what?]", shape.ToString());
        Assert.AreEqual(Dim.Symbol("N") * 2 + 1, shape[1]);
    }

    [TestMethod]
    public void A_function_shows_formals_defaults_and_body()
    {
        var proto = Relu();
        var body = Node("Elu", ["a"], ["b"]);
        body.Attribute.Add(new AttributeProto { Name = "alpha", Type = AttributeProto.Types.AttributeType.Float, RefAttrName = "slope" });
        proto.Functions.Add(new FunctionProto
        {
            Domain = "f",
            Name = "Act",
            Overload = "o",
            Input = { "a" },
            Output = { "b" },
            Attribute = { "slope" },
            AttributeProto = { new AttributeProto { Name = "axis", Type = AttributeProto.Types.AttributeType.Int, I = 1 } },
            Node = { body },
            OpsetImport = { new OperatorSetIdProto { Version = 16 } },
            ValueInfo = { Info("a") },
        });
        var function = OnnxFile.Read(proto.ToByteArray()).Functions.Single();
        Assert.AreEqual(("f", "Act", "o"), (function.Domain, function.Name, function.Overload));
        Assert.AreEqual("slope", function.AttributeNames.Single());
        Assert.AreEqual(1, function.AttributeDefaults.Single().AsInt());
        Assert.AreEqual(16, function.OpsetImports[""]);
        Assert.AreEqual("slope", function.Body.First!.Attribute("alpha")!.RefAttrName);
        Assert.AreEqual("Float32[2,4]", function.Body.Inputs.Single().Type!.ToString());
    }

    [TestMethod]
    public void A_plain_model_needs_no_residue()
    {
        var model = OnnxFile.Read(Add(Floats(1, 2, 3, 4)).ToByteArray());
        Assert.IsNull(model.Residue);
        Assert.IsNull(model.Graph.Residue);
        Assert.IsTrue(model.Graph.Values.All(v => v.Residue is null && v.Initializer?.Residue is null));
        Assert.IsTrue(model.Graph.Nodes.All(n => n.Residue is null));
    }

    [TestMethod]
    public void Constants_that_a_pass_leaves_in_a_function_body_are_written_as_nodes()
    {
        var proto = Relu();
        proto.Functions.Add(new FunctionProto { Domain = "f", Name = "F", Output = { "b" }, Node = { Node("Neg", [], ["b"]) }, OpsetImport = { new OperatorSetIdProto { Version = 17 } } });
        var model = OnnxFile.Read(proto.ToByteArray());
        var body = model.Functions[0].Body;
        body.First!.SetInputs([body.AddInitializer("c", TensorData.Scalar(2f))]);
        var written = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(model)).Functions[0];
        CollectionAssert.AreEqual(new[] { "Constant", "Neg" }, written.Node.Select(n => n.OpType).ToArray());
        Assert.AreEqual("c", written.Node[1].Input[0]);
        Assert.AreEqual("c", written.Node[0].Output[0]);
        Assert.AreEqual(2f, BitConverter.ToSingle(written.Node[0].Attribute[0].T.RawData.Span));
    }
}
