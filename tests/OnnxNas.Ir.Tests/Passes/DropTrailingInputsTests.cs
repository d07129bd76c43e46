using OnnxNas.Ir.Passes;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class DropTrailingInputsTests
{
    [TestMethod]
    public void Omitted_inputs_go_at_the_end_only_in_every_graph_and_function()
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(2)));
        var kept = graph.Call("Clip", [x, null, x]);
        var shortened = graph.Call("Clip", [x, null, null]);
        var body = new Graph("body", graph);
        var inner = body.Call("LayerNormalization", [x, x, null]);
        body.AddOutput(inner);
        graph.AddOutput(graph.Call("If", [kept], attributes: [Attr.Of("then_branch", body)]));
        graph.AddOutput(shortened);
        var function = new Function("own", "F", new Graph("f"));
        var formal = function.Body.AddInput("a", null);
        var called = function.Body.Call("Conv", [formal, formal, null]);
        var model = new Model(graph);
        model.Functions.Add(function);

        var pass = new DropTrailingInputs();
        Assert.AreEqual(3, pass.Apply(model));
        Assert.AreEqual((3, 1, 2, 2), (kept.Producer!.Inputs.Count, shortened.Producer!.Inputs.Count, inner.Producer!.Inputs.Count, called.Producer!.Inputs.Count));
        Assert.IsFalse(pass.Run(model));
    }
}
