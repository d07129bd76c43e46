using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Tests.Passes;

namespace OnnxNas.Ir.Tests;

/// <summary>Edits of a graph.</summary>
[TestClass]
public sealed class GraphTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_node_is_put_behind_the_value_it_reads()
    {
        var b = new ModelBuilder();
        var relu = b.Call("Relu", b.Input("x", N, 4));
        b.Output("y", b.Call("Exp", relu));
        // A marker of two candidates: the value itself, and a layer on it.
        var layer = b.Call("Neg", relu);
        var marker = b.Graph.Call("LayerChoice", [relu, layer], "marker", "org.onnxnas", [Attr.Of("label", "l")]);
        b.Model.OpsetImports["org.onnxnas"] = 1;
        b.Graph.ReplaceAllUses(relu, marker);
        Assert.AreSame(relu, marker.Producer!.Inputs[0]);
        Assert.AreSame(relu, layer.Producer!.Inputs[0]);
        Assert.AreSame(marker, b.Graph.Find("y")!.Producer!.Inputs[0]);
        b.Graph.SortTopologically();
        Assert.AreEqual("Relu Neg LayerChoice Exp", string.Join(' ', OnnxFile.Read(OnnxFile.ToBytes(b.Model)).Graph.Nodes.Select(n => n.OpType)));
    }

    [TestMethod]
    public void What_graphs_within_read_for_the_replacement_stays_too()
    {
        var b = new ModelBuilder();
        var relu = b.Call("Relu", b.Input("x", N, 4));
        b.Output("y", b.Call("Exp", relu));
        var choice = b.If(relu, relu, "Neg");
        b.Graph.ReplaceAllUses(relu, choice);
        Assert.IsTrue(choice.Producer!.Subgraphs.All(g => g.First!.Inputs[0] == relu));
        Assert.AreSame(choice, b.Graph.Find("y")!.Producer!.Inputs[0]);
    }

    [TestMethod]
    public void All_readers_move_where_the_replacement_does_not_need_the_value()
    {
        var b = new ModelBuilder();
        var (x, other) = (b.Input("x", N, 4), b.Input("other", N, 4));
        var relu = b.Call("Relu", x);
        b.Output("y", b.Call("Add", relu, relu));
        b.Graph.ReplaceAllUses(relu, b.Call("Neg", other));
        Assert.IsEmpty(relu.Uses);
    }

    [TestMethod]
    public void An_output_that_goes_through_a_node_of_its_own_keeps_its_name()
    {
        var b = new ModelBuilder();
        var relu = b.Call("Relu", b.Input("x", N, 4));
        b.Output("y", relu);
        var behind = b.Call("Neg", relu);
        b.Graph.ReplaceAllUses(relu, behind);
        Assert.AreEqual("y", behind.Name);
        Assert.AreSame(behind, b.Graph.Outputs[0]);
        Assert.AreSame(relu, behind.Producer!.Inputs[0]);
    }

    [TestMethod]
    public void Nodes_come_after_their_makers()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var (first, second) = (b.Graph.AddValue("first"), b.Graph.AddValue("second"));
        b.Graph.AddNode("Neg", [first], [second]);
        b.Output("z", b.Call("Abs", x));
        b.Graph.AddNode("Relu", [x], [first]);
        b.Output("y", second);
        b.Graph.SortTopologically();
        Assert.AreEqual("Abs Relu Neg", b.Model.Ops());
        b.Graph.SortTopologically();
        Assert.AreEqual("Abs Relu Neg", b.Model.Ops());
    }
}
