using CsCheck;
using Google.Protobuf;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>What is read comes back. Bytes are compared, since protobuf's equality takes an absent field for its default.</summary>
[TestClass]
public sealed class RoundTripTests
{
    private const int Models = 800;

    [TestMethod]
    public void Random_models_are_written_back_as_they_were_read() => Gen.Int.Sample(seed =>
    {
        var bytes = new RandomModel(seed).Build().ToByteArray();
        var written = OnnxFile.ToBytes(OnnxFile.Read(bytes));
        Assert.IsTrue(ModelProto.Parser.ParseFrom(bytes).Equals(ModelProto.Parser.ParseFrom(written)));
        CollectionAssert.AreEqual(bytes, written);
    }, iter: Models, threads: 1);

    [TestMethod]
    public void Random_tensors_are_written_back_as_they_were_read() => Gen.Int.Sample(seed =>
    {
        var bytes = new RandomModel(seed).Tensor("t").ToByteArray();
        var tensor = new TensorReader(null).Read(TensorProto.Parser.ParseFrom(bytes), "t", named: false);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(tensor));
    }, iter: Models, threads: 1);

    [TestMethod]
    public void A_clone_is_written_as_its_source_and_twice_the_same() => Gen.Int.Sample(seed =>
    {
        var model = OnnxFile.Read(new RandomModel(seed).Build().ToByteArray());
        var bytes = OnnxFile.ToBytes(model);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(model));
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(model.Clone()));
    }, iter: Models / 4, threads: 1);

    [TestMethod]
    public void An_edit_changes_what_it_touches_and_nothing_else() => Gen.Int.Sample(seed =>
    {
        var bytes = new RandomModel(seed).Build().ToByteArray();
        var (model, expected) = (OnnxFile.Read(bytes), ModelProto.Parser.ParseFrom(bytes));
        var random = new Random(seed);
        if (model.Graph.NodeCount > 0)
        {
            var at = random.Next(model.Graph.NodeCount);
            model.Graph.Nodes.ElementAt(at).SetAttribute(Attr.Of("edited", 1L));
            expected.Graph.Node[at].Attribute.Add(new AttributeProto { Name = "edited", Type = AttributeProto.Types.AttributeType.Int, I = 1 });
        }

        model.Graph.AddNode("Added", [], [model.Graph.AddValue("added")]);
        expected.Graph.Node.Add(new NodeProto { OpType = "Added", Output = { "added" } });
        model.DocString = "edited";
        expected.DocString = "edited";
        model.OpsetImports["new"] = 3;
        // A list of imports that says one thing twice is not kept once it changes.
        var spelled = expected.OpsetImport.ToArray();
        expected.OpsetImport.Clear();
        expected.OpsetImport.AddRange(spelled.DistinctBy(i => i.Domain == "ai.onnx" ? "" : i.Domain).Append(new OperatorSetIdProto { Domain = "new", Version = 3 }));
        CollectionAssert.AreEqual(expected.ToByteArray(), OnnxFile.ToBytes(model));
    }, iter: Models / 4, threads: 1);

    [TestMethod]
    public void A_renamed_value_is_renamed_wherever_it_stands() => Gen.Int.Sample(seed =>
    {
        var bytes = new RandomModel(seed).Build().ToByteArray();
        var (model, expected) = (OnnxFile.Read(bytes), ModelProto.Parser.ParseFrom(bytes));
        var sparse = model.Graph.SparseInitializers.Select(s => s.Name).ToHashSet();
        if (model.Graph.Values.FirstOrDefault(v => !sparse.Contains(v.Name)) is not { } value)
            return;
        Rename(expected.Graph, value.Name, "renamed");
        model.Graph.Rename(value, "renamed");
        var actual = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(model));
        // The order of initializers and value infos means nothing, and renaming moves them.
        Sort(expected.Graph);
        Sort(actual.Graph);
        BareOutputs(expected.Graph, "renamed");
        BareOutputs(actual.Graph, "renamed");
        CollectionAssert.AreEqual(expected.ToByteArray(), actual.ToByteArray());
    }, iter: Models / 4, threads: 1);

    [TestMethod]
    public void A_value_given_another_type_is_written_with_it_everywhere()
    {
        var proto = TestModels.Relu();
        proto.Graph.Output[0].Type.TensorType.Shape.Dim[0].DimValue = -1;
        proto.Graph.ValueInfo.Add(new ValueInfoProto { Name = "y", DocString = "kept" });
        var model = OnnxFile.Read(proto.ToByteArray());
        model.Graph.Outputs[0].Type = new TensorType(ElementType.Float16, new Shape(Dim.Symbol("N"), 4));
        var written = ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(model)).Graph;
        Assert.AreEqual("N", written.Output[0].Type.TensorType.Shape.Dim[0].DimParam);
        Assert.AreEqual(written.Output[0].Type, written.ValueInfo[0].Type);
        Assert.AreEqual("kept", written.ValueInfo[0].DocString);
    }

    private static void Rename(GraphProto graph, string from, string to)
    {
        foreach (var info in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo).Where(i => i.Name == from))
            info.Name = to;
        foreach (var tensor in graph.Initializer.Where(t => t.Name == from))
            tensor.Name = to;
        foreach (var node in graph.Node)
        {
            foreach (var list in new[] { node.Input, node.Output })
            {
                for (var i = 0; i < list.Count; i++)
                    list[i] = list[i] == from ? to : list[i];
            }

            foreach (var inner in Inner(node))
                RenameCaptured(inner, from, to);
        }
    }

    private static IEnumerable<GraphProto> Inner(NodeProto node) =>
        node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Append(a.G));

    // A subgraph that returns a value around it may say more of it; under another name the writer says what the value itself does.
    private static void BareOutputs(GraphProto graph, string name)
    {
        foreach (var inner in graph.Node.SelectMany(Inner))
        {
            for (var i = 0; i < inner.Output.Count; i++)
                inner.Output[i] = inner.Output[i].Name == name ? new ValueInfoProto { Name = name } : inner.Output[i];
            BareOutputs(inner, name);
        }
    }

    // What a subgraph says of a value around it, among its value infos, is text that no object stands for.
    private static void RenameCaptured(GraphProto inner, string from, string to)
    {
        var infos = inner.ValueInfo.Clone();
        Rename(inner, from, to);
        inner.ValueInfo.Clear();
        inner.ValueInfo.AddRange(infos);
    }

    private static void Sort(GraphProto graph)
    {
        var (tensors, infos) = (graph.Initializer.ToArray(), graph.ValueInfo.ToArray());
        graph.Initializer.Clear();
        graph.ValueInfo.Clear();
        graph.Initializer.AddRange(tensors.OrderBy(t => t.Name, StringComparer.Ordinal));
        graph.ValueInfo.AddRange(infos.OrderBy(i => i.Name, StringComparer.Ordinal));
    }
}
