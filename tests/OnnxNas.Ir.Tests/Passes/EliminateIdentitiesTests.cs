using OnnxNas.Ir.Passes;
using static OnnxNas.Ir.Tests.Passes.PassHarness;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class EliminateIdentitiesTests
{
    private static readonly Dim N = Dim.Symbol("N");

    private static EliminateIdentities Pass => new(Rules);

    [TestMethod]
    public void Nodes_that_hand_their_input_on_go_away()
    {
        var b = new ModelBuilder();
        var x = b.Call("Relu", b.Input("x", N, 4, 2));
        x = b.Call("Dropout", b.Call("Identity", x));
        x = b.Call("Cast", [Attr.Of("to", 1L)], x);
        x = b.Call("Transpose", [Attr.Of("perm", [0L, 1, 2])], x);
        x = b.Call("Pad", x, b.Ints(0, 0, 0, 0, 0, 0));
        x = b.Call("Reshape", x, b.Ints(-1, 4, 2));
        x = b.Call("Expand", x, b.Ints(1, 1, 1));
        x = b.Call("Squeeze", b.Call("Unsqueeze", x, b.Ints(1)), b.Ints(1));
        foreach (var op in new[] { "Sum", "Max", "Min", "Mean" })
            x = b.Call(op, x);
        b.Output("y", b.Call("Concat", [Attr.Of("axis", 0L)], x)).Check(Pass, "Relu");
    }

    [TestMethod]
    public void Nodes_that_change_something_stay()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4, 4);
        x = b.Call("Transpose", [Attr.Of("perm", [0L, 2, 1])], x);
        x = b.Call("Cast", [Attr.Of("to", (long)ElementType.Float64)], x);
        x = b.Call("Pad", x, b.Ints(0, 0, 1, 0, 0, 0));
        x = b.Call("Reshape", x, b.Ints(0, 5, 4));
        x = b.Call("Squeeze", b.Call("Unsqueeze", x, b.Ints(1)), b.Ints(1));
        x = b.Call("Sum", x, x);
        b.Graph.Rename(x, "y");
        x.Type = new TensorType(ElementType.Float64);
        b.Graph.AddOutput(x);
        b.Check(Pass, "Transpose Cast Pad Reshape Sum");
    }

    [TestMethod]
    public void Axes_squeezed_and_put_back_elsewhere_stay()
    {
        var b = new ModelBuilder();
        var x = b.Call("Unsqueeze", b.Call("Squeeze", b.Input("x", N, 1, 4), b.Ints(1)), b.Ints(2));
        b.Output("y", x).Check(Pass, "Squeeze Unsqueeze", changes: false);
    }

    [TestMethod]
    public void An_identity_that_names_an_output_stays_where_nothing_else_can_carry_the_name()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var shared = b.Call("Relu", x);
        b.Output("a", b.Call("Identity", x)).Output("weight", b.Call("Identity", b.Weight(2)))
            .Output("r", shared).Output("s", b.Call("Identity", shared)).Check(Pass, "Relu Identity Identity Identity", changes: false);
    }

    [TestMethod]
    public void An_output_passes_its_name_to_the_value_behind_the_identity()
    {
        var b = new ModelBuilder();
        var hidden = b.Call("Relu", b.Input("x", N, 4));
        b.Output("y", b.Call("Identity", hidden)).Output("z", b.Call("Neg", hidden)).Check(Pass, "Relu Neg");
        Assert.AreSame(hidden, b.Graph.Outputs[0]);
    }

    [TestMethod]
    public void A_dropout_whose_mask_is_read_or_which_drops_stays()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var (y, mask) = (b.Graph.AddValue("y"), b.Graph.AddValue("mask"));
        b.Graph.AddNode("Dropout", [x], [y, mask]);
        b.Graph.AddOutput(y);
        b.Graph.AddOutput(mask);
        b.Check(Pass, "Dropout", changes: false);

        b = new ModelBuilder();
        var on = b.Graph.AddConstant("on", TensorData.Scalar(true));
        b.Output("y", b.Call("Dropout", b.Input("x", N, 4), null, on));
        Assert.IsFalse(Pass.Run(b.Model));
    }

    [TestMethod]
    public void A_value_that_a_subgraph_returns_is_replaced_there_too()
    {
        var b = new ModelBuilder();
        var x = b.Call("Relu", b.Input("x", N, 4));
        var same = b.Call("Identity", x);
        var y = b.If(same, same);
        b.Output("y", y);
        Assert.IsTrue(Pass.Run(b.Model));
        Assert.AreEqual("Relu If", b.Model.Ops());
        Assert.IsTrue(y.Producer!.Subgraphs.All(g => g.Outputs[0] == x));
    }

    [TestMethod]
    public void A_subgraph_returns_an_outer_value_through_its_identity()
    {
        var b = new ModelBuilder();
        var same = b.Call("Identity", b.Call("Relu", b.Input("x", N, 4)));
        var y = b.If(same, same, "Identity");
        b.Output("y", y).Check(Pass, "Relu If");
        Assert.IsTrue(y.Producer!.Subgraphs.All(g => g.NodeCount == 1));
    }
}
