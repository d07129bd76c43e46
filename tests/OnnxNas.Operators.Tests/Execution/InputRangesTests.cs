using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class InputRangesTests
{
    private readonly Graph graph = new("g");

    [TestMethod]
    public void A_step_is_found_through_nodes_that_hand_it_on_and_in_bodies()
    {
        var (x, step, length, other) = (Input("x", ElementType.Float32), Input("step", ElementType.Int32), Input("length", ElementType.Int64), Input("other", ElementType.Int64));
        var steps = graph.Call("Cast", [graph.Call("Squeeze", [graph.Call("Concat", [step], attributes: [Attr.Of("axis", 0L)])])], attributes: [Attr.Of("to", (long)ElementType.Int64)]);
        graph.Call("STFT", [x, steps, null, length]);
        graph.Call("Add", [other, other]);
        var body = new Graph("then", graph);
        body.AddOutput(body.Call("Div", [other, graph.Call("Identity", [Input("divisor", ElementType.Int64)])]));
        graph.Call("If", [Input("go", ElementType.Bool)], attributes: [Attr.Of("then_branch", body), Attr.Of("else_branch", body)]);
        var found = Ranges();
        CollectionAssert.AreEquivalent((string[])["step", "length", "divisor"], found.Keys.ToArray());
        Assert.IsTrue(found.Values.All(r => r is { Least: >= 1, OfFloats: false }));
    }

    [TestMethod]
    public void An_input_of_two_roles_is_drawn_from_what_both_allow()
    {
        var both = Input("both", ElementType.Int64);
        graph.Call("Tile", [Input("x", ElementType.Float32), both]);
        graph.Call("TopK", [Input("y", ElementType.Float32), both]);
        Assert.AreEqual(new ValueRange(1, 2), Ranges()["both"]);
    }

    private Value Input(string name, ElementType type) => graph.AddInput(name, new TensorType(type, null));

    private IReadOnlyDictionary<string, ValueRange> Ranges()
    {
        var model = new Model(graph);
        model.OpsetImports[""] = 17;
        return InputRanges.Of(model, OperatorRegistry.Default);
    }
}
