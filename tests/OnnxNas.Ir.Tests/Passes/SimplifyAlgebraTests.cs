using OnnxNas.Ir.Passes;
using static OnnxNas.Ir.Tests.Passes.PassHarness;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class SimplifyAlgebraTests
{
    private static readonly Dim N = Dim.Symbol("N");

    private static SimplifyAlgebra Pass => new(Rules);

    private static PassManager Cleanup => new(
    [
        new RemoveDeadNodes(), new LiftConstants(), new EliminateIdentities(Rules),
        new FoldConstants(new RuntimeEvaluator(), Rules), new SimplifyAlgebra(Rules), new MergeEqualNodes(), new RemoveDeadNodes(),
    ]);

    [TestMethod]
    [DataRow("Add", 0f, false)]
    [DataRow("Add", 0f, true)]
    [DataRow("Add", -0f, false)]
    [DataRow("Sub", 0f, false)]
    [DataRow("Mul", 1f, false)]
    [DataRow("Mul", 1f, true)]
    [DataRow("Div", 1f, false)]
    public void A_neutral_scalar_goes_away(string op, float neutral, bool first)
    {
        var b = new ModelBuilder();
        var x = b.Call("Relu", b.Input("x", N, 3));
        var c = b.Filled(neutral);
        b.Output("y", b.Call("Abs", first ? b.Call(op, c, x) : b.Call(op, x, c))).Check(Pass, "Relu Abs");
    }

    [TestMethod]
    [DataRow("Sub", 0f)]
    [DataRow("Div", 1f)]
    public void A_neutral_number_on_the_wrong_side_stays(string op, float neutral)
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call(op, b.Filled(neutral), b.Input("x", N, 3))).Check(Pass, op, changes: false);
    }

    [TestMethod]
    public void Neutral_operands_of_any_fitting_shape_go_away()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 3, 4);
        var y = b.Call("Mul", b.Call("Sub", b.Call("Add", x, b.Filled(0, 1, 3, 1)), b.Filled(0, 4)), b.Filled(1, 3, 4));
        b.Output("y", b.Call("Neg", y)).Check(Pass, "Neg");
    }

    [TestMethod]
    public void A_zero_that_widens_the_shape_stays()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Add", b.Input("x", N, 1, 4), b.Filled(0, 3, 1))).Check(Pass, "Add", changes: false);
        b = new ModelBuilder();
        b.Output("y", b.Call("Add", b.Input("x", 4), b.Filled(0, 1, 1))).Check(Pass, "Add", changes: false);
    }

    [TestMethod]
    public void An_extent_of_one_behind_a_symbol_is_not_assumed_away()
    {
        // N may be 1, and then the sum is wider than x.
        var b = new ModelBuilder();
        b.Output("y", b.Call("Add", b.Input("x", N, 4), b.Filled(0, 3, 4)));
        Assert.IsFalse(Pass.Run(b.Model));
    }

    [TestMethod]
    public void Constants_that_are_not_quite_neutral_stay()
    {
        foreach (var (op, value) in new[] { ("Add", float.NaN), ("Add", 1e-30f), ("Mul", float.NaN), ("Mul", 1.0000001f), ("Mul", float.PositiveInfinity) })
        {
            var b = new ModelBuilder();
            b.Output("y", b.Call(op, b.Input("x", N, 3), b.Filled(value))).Check(Pass, op, changes: false);
        }
    }

    [TestMethod]
    public void A_constant_that_is_not_finite_times_zero_stays()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Mul", b.Filled(float.NaN, 2), b.Filled(0))).Check(Pass, "Mul", changes: false);
    }

    [TestMethod]
    public void An_initializer_the_caller_may_replace_is_no_constant()
    {
        var b = new ModelBuilder();
        var zero = b.Filled(0);
        b.Graph.AddInput(zero.Name);
        b.Output("y", b.Call("Add", b.Input("x", N, 3), zero));
        Assert.IsFalse(Pass.Run(b.Model));
        Assert.AreEqual("Add", b.Model.Ops());
    }

    [TestMethod]
    public void An_output_that_equals_an_input_keeps_its_name_through_an_Identity()
    {
        var b = new ModelBuilder();
        b.Output("y", b.Call("Add", b.Input("x", N, 3), b.Filled(0))).Check(Pass, "Identity");
    }

    [TestMethod]
    public void A_value_read_twice_is_replaced_for_every_reader()
    {
        var b = new ModelBuilder();
        var sum = b.Call("Add", b.Input("x", N, 3), b.Filled(0));
        b.Output("y", b.Call("Relu", sum)).Output("z", b.Call("Neg", sum)).Check(Pass, "Relu Neg");
    }

    [TestMethod]
    public void A_none_candidate_is_absorbed_by_a_live_sibling()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4, 6, 6);
        var live = b.Call("Relu", x);
        var none = b.Call("Mul", x, b.Filled(0));
        b.Output("y", b.Call("Abs", b.Call("Add", b.Call("Add", none, b.Filled(0)), live))).Check(Cleanup, "Relu Abs");
    }

    [TestMethod]
    public void Zeros_pass_through_the_operators_of_a_cell()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4, 6, 6);
        Attr[] window = [Attr.Of("kernel_shape", [3L, 3]), Attr.Of("pads", [1L, 1, 1, 1])];
        var dead = b.Call("Conv", window, b.Call("Relu", b.Call("Mul", x, b.Filled(0))), b.Weight(4, 4, 3, 3));
        dead = b.Call("MaxPool", window, b.Call("AveragePool", window, dead));
        dead = b.Call("Concat", [Attr.Of("axis", 1L)], dead, b.Call("Mul", dead, b.Weight(1, 4, 1, 1)));
        dead = b.Call("Slice", dead, b.Ints(2), b.Ints(6), b.Ints(1));
        dead = b.Call("Transpose", [Attr.Of("perm", [0L, 1, 3, 2])], b.Call("Mean", dead, dead));
        b.Output("y", b.Call("Sum", dead, b.Call("Neg", x), dead)).Check(Cleanup, "Neg");
    }

    [TestMethod]
    public void A_convolution_with_bias_does_not_vanish()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4, 6, 6);
        var biased = b.Call("Conv", b.Call("Mul", x, b.Filled(0)), b.Weight(4, 4, 1, 1), b.Weight(4));
        b.Output("y", b.Call("Add", biased, x)).Check(Cleanup, "Shape Gather Concat ConstantOfShape Conv Add");
    }

    [TestMethod]
    public void A_pad_by_a_number_does_not_vanish()
    {
        var b = new ModelBuilder();
        var padded = b.Call("Pad", b.Call("Mul", b.Input("x", 2, 3), b.Filled(0)), b.Ints(0, 1, 0, 1), b.Filled(5));
        b.Output("y", padded);
        Pass.Run(b.Model);
        Assert.AreEqual("ConstantOfShape Pad", b.Model.Ops());
    }

    [TestMethod]
    public void A_model_of_nothing_but_zeros_stays_valid_for_every_batch()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 4, 6, 6);
        var a = b.Call("Mul", x, b.Filled(0));
        var c = b.Call("Mul", b.Call("Relu", x), b.Filled(0));
        var pooled = b.Call("Flatten", b.Call("GlobalAveragePool", b.Call("Add", a, c)));
        b.Output("y", b.Call("Gemm", pooled, b.Weight(4, 3), b.Weight(3))).Output("z", b.Call("Sub", a, c))
            .Check(Cleanup, "Shape Gather Concat ConstantOfShape Concat ConstantOfShape Gemm");
        Assert.AreSame(b.Model.Graph.Find("z"), b.Model.Graph.Outputs[1]);
    }

    [TestMethod]
    public void What_is_subtracted_from_itself_is_zero_and_nothing_else_is()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", 2, 3);
        var y = b.Call("Relu", x);
        b.Output("y", b.Call("Concat", [Attr.Of("axis", 1L)], x, b.Call("Sub", y, y))).Check(Cleanup, "ConstantOfShape Concat");
        b = new ModelBuilder();
        x = b.Input("x", 2, 3);
        b.Output("y", b.Call("Sub", b.Call("Abs", x), b.Call("Relu", x))).Check(Pass, "Abs Relu Sub", changes: false);
    }

    [TestMethod]
    public void Zeros_of_a_known_shape_need_no_input()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", 2, 3);
        b.Output("y", b.Call("Concat", [Attr.Of("axis", 1L)], x, b.Call("Mul", x, b.Filled(0)))).Check(Cleanup, "ConstantOfShape Concat");
    }

    [TestMethod]
    public void Two_zero_outputs_keep_their_names()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 3);
        b.Output("y", b.Call("Mul", x, b.Filled(0))).Output("z", b.Call("Mul", b.Call("Neg", x), b.Filled(0)))
            .Check(Cleanup, "Shape Gather Concat ConstantOfShape Identity");
    }

    [TestMethod]
    public void Without_a_name_for_the_batch_zeros_take_the_shape_of_the_operand()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", Dim.Unknown(), 3);
        b.Output("y", b.Call("Relu", b.Call("Mul", x, b.Filled(0)))).Check(Cleanup, "Shape ConstantOfShape");
    }

    [TestMethod]
    public void A_mean_counts_its_zeros()
    {
        var b = new ModelBuilder();
        var x = b.Input("x", N, 3);
        b.Output("y", b.Call("Mean", b.Call("Mul", x, b.Filled(0)), x)).Check(Cleanup, "Shape Gather Concat ConstantOfShape Mean");
    }

    [TestMethod]
    public void Constants_that_may_be_trained_are_kept_when_asked()
    {
        var b = new ModelBuilder();
        var x = b.Call("Mul", b.Call("Add", b.Input("x", N, 3), b.Filled(0, 3)), b.Filled(1, 3));
        b.Output("y", b.Call("Add", b.Call("Mul", x, b.Filled(1)), b.Filled(0))).Check(new SimplifyAlgebra(Rules, keepWeights: true), "Add Mul");
    }

    [TestMethod]
    public void Opset_8_makes_zeros_of_a_known_shape_a_constant()
    {
        var b = new ModelBuilder(opset: 8, irVersion: 4);
        var x = b.Input("x", 2, 3);
        b.Output("y", b.Call("Concat", [Attr.Of("axis", 1L)], x, b.Call("Mul", x, b.Filled(0)))).Check(Pass, "Concat");
    }

    [TestMethod]
    public void Opset_8_has_no_ConstantOfShape_and_is_left_alone_where_one_is_needed()
    {
        var b = new ModelBuilder(opset: 8, irVersion: 4);
        var x = b.Input("x", N, 3);
        b.Output("y", b.Call("Mul", x, b.Filled(0))).Check(Pass, "Mul", changes: false);
    }
}
