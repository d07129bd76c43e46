using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class ToInferenceFormTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    [DataRow(9, 5)]
    [DataRow(15, 3)]
    public void Batch_normalisation_in_training_form_gets_one_output(int opset, int outputs)
    {
        var (trained, plain) = (Normalised(opset, outputs, training: true), Normalised(opset, 1, training: false));
        Assert.IsTrue(new ToInferenceForm().Run(trained.Model));
        trained.Check(new ToInferenceForm(), "BatchNormalization", changes: false);
        Assert.IsEmpty(trained.Graph.First!.Attributes);
        PassHarness.AssertSameAnswers(OnnxFile.ToBytes(plain.Model), OnnxFile.ToBytes(trained.Model));
    }

    [TestMethod]
    public void Statistics_that_are_read_are_refused()
    {
        var b = Normalised(15, 3, training: true);
        b.Graph.AddOutput(b.Graph.Find("out1")!);
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => new ToInferenceForm().Run(b.Model));
        StringAssert.Contains(error.Message, "out1");
    }

    [TestMethod]
    [DataRow(7)]
    [DataRow(13)]
    public void Dropout_goes_away_in_every_version(int opset)
    {
        var b = new ModelBuilder(opset);
        var x = b.Call("Relu", b.Input("x", N, 4));
        var dropped = opset < 12
            ? b.Call("Dropout", [Attr.Of("ratio", 0.5f)], x)
            : b.Call("Dropout", x, b.Filled(0.5f), b.Graph.AddConstant("on", TensorData.Scalar(true)));
        b.Output("y", dropped);
        Assert.IsTrue(new ToInferenceForm().Run(b.Model));
        b.Check(new ToInferenceForm(), "Relu", changes: false);
        Assert.AreEqual("y", b.Graph.Outputs[0].Name);
    }

    [TestMethod]
    public void A_mask_that_is_read_is_refused()
    {
        var b = new ModelBuilder();
        var (y, mask) = (b.Graph.AddValue("y"), b.Graph.AddValue("mask"));
        b.Graph.AddNode("Dropout", [b.Input("x", N, 4)], [y, mask]);
        b.Graph.AddOutput(y);
        b.Graph.AddOutput(mask);
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => new ToInferenceForm().Run(b.Model));
        StringAssert.Contains(error.Message, "mask");
    }

    private static ModelBuilder Normalised(int opset, int outputs, bool training)
    {
        var b = new ModelBuilder(opset);
        var inputs = new[] { b.Input("x", N, 3, 2, 2), b.Weight(3), b.Weight(3), b.Weight(3), b.Filled(2, 3) };
        var made = Enumerable.Range(0, outputs).Select(i => b.Graph.AddValue($"out{i}")).ToArray();
        Attr[] attributes = training && opset >= 14 ? [Attr.Of("training_mode", 1L)] : [];
        b.Graph.AddNode("BatchNormalization", inputs, made, attributes: attributes);
        return b.Output("y", made[0]);
    }
}
