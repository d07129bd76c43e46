using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Ir.Tests.Passes.Import.Parameters;

[TestClass]
public sealed class ParameterNamesTests
{
    [TestMethod]
    [DataRow("onnx::Mul_73")]
    [DataRow("Constant_12")]
    [DataRow("/relu/Constant_output_0")]
    [DataRow("/gate/Constant_3_output_0")]
    [DataRow("/block/Mul_output_0")]
    [DataRow("const_fold_opt__12")]
    [DataRow("Const:0")]
    [DataRow("model/Const_4:0")]
    [DataRow("model/layer/mul/y:0")]
    [DataRow("model/add_1/y")]
    [DataRow("Mul_13")]
    [DataRow("val_7")]
    [DataRow("_val_7")]
    [DataRow("c_lifted_tensor_0")]
    [DataRow("scalar_tensor_default_2")]
    [DataRow("214")]
    public void Names_that_tools_make_up_say_nothing_of_a_parameter(string name)
    {
        Assert.IsTrue(ParameterNames.IsAutomatic(name));
        Assert.IsFalse(ParameterNames.IsParameter(name));
    }

    [TestMethod]
    [DataRow("gamma")]
    [DataRow("block.alpha")]
    [DataRow("logit_scale")]
    [DataRow("encoder.layer.0.temp")]
    [DataRow("head.scale")]
    [DataRow("skipInitGain")]
    [DataRow("layer1.0.p")]
    [DataRow("model/prelu/alpha/ReadVariableOp:0")]
    [DataRow("model/scale/ReadVariableOp:0")]
    [DataRow("Gamma_1")]
    public void Names_of_parameters_are_known(string name)
    {
        Assert.IsFalse(ParameterNames.IsAutomatic(name));
        Assert.IsTrue(ParameterNames.IsParameter(name));
    }

    [TestMethod]
    [DataRow("eps")]
    [DataRow("norm.eps")]
    [DataRow("two")]
    [DataRow("sc")]
    [DataRow("k")]
    public void Names_of_literals_and_names_that_say_nothing_are_no_parameters(string name) => Assert.IsFalse(ParameterNames.IsParameter(name));

    [TestMethod]
    [DataRow("bn.running_mean", "statistics")]
    [DataRow("bn/moving_variance/ReadVariableOp:0", "statistics")]
    [DataRow("pixel_mean", "pixels")]
    [DataRow("model.22.anchors", "places")]
    [DataRow("model.22.strides", "places")]
    [DataRow("attn.rotary_emb.inv_freq", "sines")]
    [DataRow("layers.0.cos_cached", "sines")]
    [DataRow("pos_embed", null)]
    [DataRow("mask_token", null)]
    [DataRow("conv.weight", null)]
    [DataRow("grid_weight", null)]
    public void Names_of_buffers_say_what_they_hold(string name, string? what)
    {
        var reason = ParameterNames.WhyFixed(name);
        if (what is null)
            Assert.IsNull(reason);
        else
            StringAssert.Contains(reason, what);
    }
}
