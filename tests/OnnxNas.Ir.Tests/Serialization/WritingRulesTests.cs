using OnnxNas.Ir.Serialization;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>What reading refuses is not written.</summary>
[TestClass]
public sealed class WritingRulesTests
{
    [TestMethod]
    public void A_sound_model_is_written() => Assert.IsNotEmpty(OnnxFile.ToBytes(Chain()));

    [TestMethod]
    public void A_reader_before_its_maker_is_refused_until_the_graph_is_sorted()
    {
        var model = Chain();
        var graph = model.Graph;
        var late = graph.Call("Neg", [graph.Inputs[0]]);
        graph.First!.ReplaceInput(0, late);
        Refused(model, "Relu 'a' in graph 'g' reads 'Neg' before Neg 'Neg' makes it");
        graph.SortTopologically();
        CollectionAssert.AreEqual((string[])["Neg", "Relu", "Exp"], OnnxFile.Read(OnnxFile.ToBytes(model)).Graph.Nodes.Select(n => n.OpType).ToArray());
    }

    [TestMethod]
    [DataRow(0L), DataRow(-1L), DataRow((1L << 32) + 17)]
    public void A_version_that_no_operator_set_has_is_refused_and_never_taken_for_another(long version)
    {
        var model = Chain();
        model.OpsetImports[""] = version;
        Refused(model, $"version {version}");
        Assert.AreEqual(version < 1 ? 0 : int.MaxValue, model.Opset);
        Assert.AreEqual(model.Opset, model.OpsetVersions()[""]);
        var calling = Chain();
        var function = new Function("f", "F", new Graph("body"));
        function.OpsetImports[""] = version;
        calling.Functions.Add(function);
        Refused(calling, $"version {version}");
    }

    [TestMethod]
    public void A_cycle_is_refused_by_name()
    {
        var model = Chain();
        model.Graph.First!.ReplaceInput(0, model.Graph.Outputs[0]);
        Refused(model, "Graph 'g' has a cycle: Relu 'a' needs Exp 'y' needs Relu 'a'.");
        Assert.Contains("Relu 'a' needs Exp 'y' needs Relu 'a'", Assert.ThrowsExactly<ModelFormatException>(model.Graph.SortTopologically).Message);
    }

    [TestMethod]
    public void Values_that_nothing_makes_are_refused()
    {
        var reads = Chain();
        reads.Graph.First!.ReplaceInput(0, reads.Graph.AddValue("loose"));
        Refused(reads, "Relu 'a' in graph 'g' reads 'loose', which nothing makes");
        var returns = Chain();
        returns.Graph.AddOutput(returns.Graph.AddValue("loose"));
        Refused(returns, "returns 'loose', which nothing in it or around it makes");
        var foreign = Chain();
        foreign.Graph.First!.ReplaceInput(0, Chain().Graph.Inputs[0]);
        Refused(foreign, "reads 'x', which nothing makes");
        var removed = Chain();
        var gone = removed.Graph.AddConstant("c", TensorData.Scalar(1f));
        removed.Graph.RemoveValue(gone);
        removed.Graph.First!.ReplaceInput(0, gone);
        Refused(removed, "reads 'c', which nothing makes");
    }

    [TestMethod]
    public void Values_of_a_graph_within_are_not_those_of_the_graph_around()
    {
        var model = Chain();
        var inner = new Graph("then", model.Graph);
        var hidden = inner.Call("Neg", [model.Graph.Inputs[0]]);
        inner.AddOutput(hidden);
        model.Graph.First!.SetAttribute(Attr.Of("then_branch", inner));
        Assert.IsNotEmpty(OnnxFile.ToBytes(model));
        model.Graph.Last!.ReplaceInput(0, hidden);
        Refused(model, "reads 'Neg' before Neg 'Neg' makes it");
    }

    [TestMethod]
    public void Names_versions_and_operator_sets_must_be_there()
    {
        Refused(Chain(m => m.IrVersion = 0), "IR version is 0");
        Refused(Chain(m => m.OpsetImports.Clear()), "imports no operator set");
        Refused(Chain(m => m.Graph.Call("Own", [m.Graph.Inputs[0]], domain: "mine")), "is of domain 'mine', which no opset import names");
        Refused(Chain(m => m.Graph.AddInput("x")), "lists input 'x' twice");
        Refused(Chain(m => m.Functions.Add(new Function("f", "F", new Graph("F"))), m => m.Functions.Add(new Function("f", "F", new Graph("F")))), "Function f::F is defined twice");
    }

    [TestMethod]
    public void Every_model_that_is_refused_could_not_be_read()
    {
        // The writer alone, without its rules, and the reader.
        foreach (var spoil in (Action<Graph>[])[g => g.First!.ReplaceInput(0, g.Outputs[0]), g => g.First!.ReplaceInput(0, g.AddValue("loose")), g => g.AddOutput(g.AddValue("loose"))])
        {
            var model = Chain(m => spoil(m.Graph));
            var bytes = Google.Protobuf.MessageExtensions.ToByteArray(new ModelWriter(null).Write(model));
            Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(bytes));
            Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.ToBytes(model));
        }
    }

    // x → Relu 'a' → Exp 'y'.
    private static Model Chain(params Action<Model>[] changes)
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(2, 4)));
        var y = graph.Call("Exp", [graph.Call("Relu", [x], "a")], "y");
        y.Type = x.Type;
        graph.AddOutput(y);
        var model = new Model(graph);
        model.OpsetImports[""] = 17;
        foreach (var change in changes)
            change(model);
        return model;
    }

    private static void Refused(Model model, string because) => Assert.Contains(because, Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.ToBytes(model)).Message);
}
