using OnnxNas.Ir.Passes;

namespace OnnxNas.Ir.Tests.Passes;

/// <summary>RemoveDeadNodes, LiftConstants, MergeEqualNodes.</summary>
[TestClass]
public sealed class StructuralPassTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void Dead_nodes_and_constants_go_and_inputs_stay()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var unread = b.Input("unread", N, 4);
        b.Call("Relu", b.Call("Add", unread, b.Weight(4)));
        b.Call("RandomNormalLike", x);
        b.Graph.AddValue("orphan");
        b.Output("y", b.Call("Neg", x)).Check(new RemoveDeadNodes(), "Neg");
        Assert.AreEqual("x unread y", string.Join(' ', b.Graph.Values.Select(v => v.Name)));
    }

    [TestMethod]
    public void A_value_read_only_by_a_subgraph_is_alive()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var (returned, read) = (b.Call("Relu", x), b.Call("Abs", x));
        b.Output("y", b.If(returned, returned)).Output("z", b.If(read, read, "Neg"));
        Assert.IsFalse(new RemoveDeadNodes().Run(b.Model));
    }

    [TestMethod]
    public void What_a_dead_subgraph_read_dies_with_it()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        b.If(b.Call("Relu", x), b.Call("Abs", x));
        b.Output("y", b.Call("Sin", x));
        Assert.IsTrue(new RemoveDeadNodes().Run(b.Model));
        Assert.AreEqual("Sin", b.Model.Ops());
        Assert.AreEqual("x y", string.Join(' ', b.Graph.Values.Select(v => v.Name)));
    }

    [TestMethod]
    public void Dead_nodes_inside_a_live_subgraph_go()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var y = b.If(b.Call("Relu", x), b.Call("Abs", x), "Neg");
        var branch = y.Producer!.Subgraphs.First();
        branch.Call("Sin", [x]);
        b.Output("y", y).Check(new RemoveDeadNodes(), "Relu Abs If");
        Assert.AreEqual(1, branch.NodeCount);
    }

    [TestMethod]
    public void Constants_of_every_numeric_form_become_initializers_of_the_same_name()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 2);
        Attr[] forms =
        [
            Attr.Of("value", TensorData.Vector(1f, 2f)), Attr.Of("value_float", 3f), Attr.Of("value_floats", [4f, 5f]),
            Attr.Of("value_int", 6L), Attr.Of("value_ints", [7L, 8L]),
        ];
        var names = new List<string>();
        foreach (var form in forms)
        {
            var constant = b.Call("Constant", [form]);
            names.Add(constant.Name);
            x = b.Call("Add", x, form.Name.StartsWith("value_int", StringComparison.Ordinal) ? b.Call("Cast", [Attr.Of("to", 1L)], constant) : constant);
        }

        b.Output("y", x).Check(new LiftConstants(), "Add Add Add Cast Add Cast Add");
        CollectionAssert.AreEquivalent(names, b.Graph.Initializers.Select(i => i.Name).ToArray());
    }

    [TestMethod]
    public void A_constant_that_is_an_output_stays_a_node()
    {
        var b = new ModelBuilder();
        b.Input("x", N, 2);
        b.Output("y", b.Call("Constant", [Attr.Of("value_floats", [1f])])).Check(new LiftConstants(), "Constant", changes: false);
    }

    [TestMethod]
    public void Lifting_a_constant_raises_an_ir_version_in_which_initializers_must_be_inputs()
    {
        var b = new ModelBuilder(irVersion: 3);
        b.Output("y", b.Call("Add", b.Input("x", N, 2), b.Call("Constant", [Attr.Of("value", TensorData.Vector(1f, 2f))])));
        new LiftConstants().Run(b.Model);
        Assert.AreEqual(4, b.Model.IrVersion);
    }

    [TestMethod]
    public void Equal_nodes_merge_with_what_follows_from_them()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        Value Branch() => b.Call("Neg", b.Call("LeakyRelu", [Attr.Of("alpha", 0.5f)], x));
        b.Output("y", b.Call("Add", Branch(), Branch())).Output("z", Branch()).Check(new MergeEqualNodes(), "LeakyRelu Neg Add");
    }

    [TestMethod]
    public void Nodes_that_differ_in_anything_do_not_merge()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        var one = b.Filled(1, 4);
        var twin = b.Filled(1, 4);
        b.Output("y0", b.Call("LeakyRelu", [Attr.Of("alpha", 0.5f)], x)).Output("y1", b.Call("LeakyRelu", [Attr.Of("alpha", 0.25f)], x))
            .Output("y2", b.Call("Add", x, one)).Output("y3", b.Call("Add", x, twin)).Output("y4", b.Call("Add", one, x))
            .Check(new MergeEqualNodes(), "LeakyRelu LeakyRelu Add Add Add", changes: false);
    }

    [TestMethod]
    public void Random_nodes_and_operators_of_other_domains_do_not_merge()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        b.Output("a", b.Call("RandomNormalLike", x)).Output("b", b.Call("RandomNormalLike", x))
            .Output("c", b.Graph.Call("Custom", [x], domain: "other")).Output("d", b.Graph.Call("Custom", [x], domain: "other"));
        Assert.IsFalse(new MergeEqualNodes().Run(b.Model));
    }

    [TestMethod]
    public void Equal_nodes_that_are_both_outputs_keep_both_names()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4);
        b.Output("a", b.Call("Relu", x)).Output("b", b.Call("Relu", x)).Output("c", b.Call("Relu", x))
            .Check(new MergeEqualNodes(), "Relu Identity Identity");
    }
}
