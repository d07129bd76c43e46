using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Ir.Tests.Passes.Import;

/// <summary>What becomes of constants that are shaped for a baked batch: they must not train where they did not, nor part from what they are tied to.</summary>
[TestClass]
public sealed class BakedConstantTests
{
    [TestMethod]
    public void A_parameter_expanded_to_the_batch_stays_tied_to_itself()
    {
        var net = new ModelBuilder();
        var positions = net.Weight(1, 6, 8);
        var first = net.Call("Relu", net.Call("Add", net.Input("x", 4, 6, 8), positions));
        var second = net.Call("Add", first, net.Call("Expand", positions, net.Ints(4, 6, 8)));
        BakedBatch.BecomesDynamic(net.Output("y", second).Model);
        Assert.IsTrue(DependsOn(second.Producer!.Inputs[1]!, positions), "The second sum reads a copy.");
    }

    [TestMethod]
    public void A_weight_expanded_for_a_product_of_stacks_stays_tied_to_itself()
    {
        var net = new ModelBuilder();
        var weight = net.Weight(1, 8, 8);
        var first = net.Call("MatMul", net.Input("x", 4, 6, 8), weight);
        var second = net.Call("MatMul", first, net.Call("Expand", weight, net.Ints(4, 8, 8)));
        BakedBatch.BecomesDynamic(net.Output("y", second).Model);
        Assert.IsTrue(DependsOn(second.Producer!.Inputs[1]!, weight), "The second product reads a copy.");
    }

    [TestMethod]
    public void A_constant_made_for_the_batch_that_two_nodes_read_stays_one()
    {
        var net = new ModelBuilder();
        var bias = net.Filled(0.5f, 4, 6);
        var first = net.Call("Add", net.Input("x", 4, 6), bias);
        var second = net.Call("Add", net.Call("Relu", first), bias);
        BakedBatch.BecomesDynamic(net.Output("y", second).Model);
        Assert.AreEqual(first.Producer!.Inputs[1]!.Name, second.Producer!.Inputs[1]!.Name);
    }

    [TestMethod]
    [DataRow("ConstantOfShape")]
    [DataRow("Expand")]
    public void A_number_filled_to_the_batch_does_not_become_a_parameter(string op)
    {
        var net = new ModelBuilder();
        var filled = op == "Expand"
            ? net.Call("Expand", net.Graph.AddConstant("half", TensorData.Scalar(0.5f)), net.Ints(4, 6))
            : net.Call("ConstantOfShape", [Attr.Of("value", TensorData.Vector(0.5f))], net.Ints(4, 6));
        var product = net.Call("Mul", net.Call("Relu", net.Input("x", 4, 6)), filled);
        Assert.IsEmpty(ParameterSources.Of(filled));
        BakedBatch.BecomesDynamic(net.Output("y", product).Model);
        Assert.IsEmpty(ParameterSources.Of(product.Producer!.Inputs[1]!));
    }

    [TestMethod]
    public void A_scale_of_a_normalisation_made_for_the_batch_fits_any()
    {
        var net = new ModelBuilder();
        var y = net.Call("LayerNormalization", net.Input("x", 4, 2, 6), net.Filled(2, 4, 1, 6), net.Filled(1, 4, 2, 6));
        BakedBatch.BecomesDynamic(net.Output("y", y).Model);
    }

    [TestMethod]
    public void A_scale_of_a_normalisation_that_differs_from_sample_to_sample_is_refused()
    {
        var net = new ModelBuilder();
        var y = net.Call("LayerNormalization", net.Input("x", 4, 2, 6), net.Weight(4, 1, 6));
        BakedBatch.IsRefused(net.Output("y", y).Model, y.Producer!.Name, "something else for each sample");
    }

    [TestMethod]
    public void A_scale_of_integers_for_each_sample_of_a_vector_is_refused()
    {
        var net = new ModelBuilder();
        var y = net.Call("QuantizeLinear", [Attr.Of("axis", -1L)], net.Input("x", 4), net.Filled(0.1f, 4), net.Graph.AddConstant("zero", TensorData.Vector<sbyte>(1, 2, 3, 4)));
        y.Type = new TensorType(ElementType.Int8);
        BakedBatch.IsRefused(net.Output("y", y).Model, y.Producer!.Name, "scale is given for each sample");
    }

    private static bool DependsOn(Value value, Value on) =>
        value == on || value.Producer is { } maker && maker.Inputs.Any(i => i is not null && DependsOn(i, on));
}
