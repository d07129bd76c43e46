using OnnxNas.Evaluation;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Ir.Tests.Passes;

/// <summary>ONNX Runtime, which executes functions by itself, gives the same before and after.</summary>
[TestClass]
public sealed class InlineFunctionsTests
{
    private const string Domain = "local";
    private static readonly Dim N = Dim.Symbol("N");

    private static InlineFunctions Pass => new((_, _, _) => false);

    [TestMethod]
    public void Calls_within_calls_become_the_nodes_of_their_bodies()
    {
        var b = new ModelBuilder();
        Define(b, "Inner", 1, (body, x) => body.Call("Neg", [body.Call("Abs", [x[0]])]));
        Define(b, "Outer", 2, (body, x) => body.Call("Add", [Call(body, "Inner", x[0]), Call(body, "Inner", x[1])]));
        var x = b.Input("x", N, 4);
        b.Output("y", Call(b.Graph, "Outer", x, b.Call("Relu", x))).Check(Pass, "Relu Abs Neg Abs Neg Add");
        Assert.IsFalse(b.Model.OpsetImports.ContainsKey(Domain));
    }

    [TestMethod]
    public void An_attribute_comes_from_the_call_or_the_default_or_is_absent()
    {
        var b = new ModelBuilder();
        var function = Define(b, "Leak", 1, (body, x) => body.Call(
            "LeakyRelu", [body.Call("Elu", [x[0]], attributes: [Attr.Reference("alpha", AttrKind.Float, "open")])], attributes: [Attr.Reference("alpha", AttrKind.Float, "slope")]));
        function.AttributeNames.Add("open");
        function.AttributeDefaults.Add(Attr.Of("slope", 0.25f));
        var x = b.Input("x", N, 4);
        var y = b.Call("Sub", Call(b.Graph, "Leak", x), b.Graph.Call("Leak", [x], domain: Domain, attributes: [Attr.Of("slope", 0.75f), Attr.Of("open", 2f)]));
        b.Output("y", y).Check(Pass, "Elu LeakyRelu Elu LeakyRelu Sub");
        var leaks = b.Graph.Nodes.Where(n => n.OpType == "LeakyRelu").Select(n => n.Attribute("alpha")!.AsFloat());
        Assert.AreEqual("0.25 0.75", string.Join(' ', leaks));
        Assert.IsNull(b.Graph.First!.Attribute("alpha"));
    }

    [TestMethod]
    public void An_input_that_the_call_leaves_out_is_left_out_in_the_body()
    {
        var b = new ModelBuilder();
        Define(b, "Bound", 3, (body, x) => body.Call("Clip", x));
        var x = b.Input("x", N, 4);
        var most = b.Graph.AddConstant("most", TensorData.Scalar(0.5f));
        b.Output("y", Call(b.Graph, "Bound", x, null, most)).Output("z", Call(b.Graph, "Bound", x)).Check(Pass, "Clip Clip");
        Assert.AreEqual("x null most", string.Join(' ', b.Graph.First!.Inputs.Select(i => i?.Name ?? "null")));
    }

    [TestMethod]
    public void Names_that_clash_get_a_number()
    {
        var b = new ModelBuilder();
        Define(b, "Twice", 1, (body, x) => body.Call("Neg", [body.Call("Abs", [x[0]], "h")]));
        var x = b.Input("x", N, 4);
        // The name that the body's value would get is taken, as is the plain one.
        var (plain, taken) = (b.Graph.Call("Relu", [x], "h"), b.Graph.Call("Exp", [x], "y/h"));
        b.Output("y", Call(b.Graph, "Twice", x)).Output("z", b.Call("Add", plain, taken)).Check(Pass, "Relu Exp Abs Neg Add");
    }

    [TestMethod]
    public void A_function_that_hands_through_an_input_or_one_value_twice_keeps_the_outputs()
    {
        var b = new ModelBuilder();
        var body = new Graph("Pair");
        var (first, second) = (body.AddInput("a"), body.AddInput("b"));
        var sum = body.Call("Add", [first, second]);
        foreach (var value in new[] { sum, second, sum })
            body.AddOutput(value);
        Add(b, "Pair", body);
        var x = b.Input("x", N, 4);
        var outputs = new[] { "p", "q", "r" }.Select(name => b.Graph.AddValue(name, new TensorType(ElementType.Float32))).ToArray();
        b.Graph.AddNode("Pair", [x, b.Call("Abs", x)], outputs, Domain);
        foreach (var output in outputs)
            b.Graph.AddOutput(output);

        // ONNX Runtime loads no function of this kind: it wants a name of its own for each output.
        Assert.IsTrue(Pass.Run(b.Model));
        Assert.AreEqual("Abs Add Identity Identity", b.Model.Ops());
        using var session = new OnnxSession(OnnxFile.ToBytes(b.Model));
        var feeds = RandomInputs.For(session, 3, 2);
        var (given, found) = (feeds["x"].ToDoubles().ToArray(), session.Run(feeds).Select(t => t.ToDoubles().ToArray()).ToArray());
        for (var i = 0; i < given.Length; i++)
        {
            Assert.AreEqual(given[i] + Math.Abs(given[i]), found[0][i], 1e-6);
            Assert.AreEqual(Math.Abs(given[i]), found[1][i]);
        }

        CollectionAssert.AreEqual(found[0], found[2]);
    }

    [TestMethod]
    public void A_call_in_a_branch_and_a_branch_in_a_body_are_expanded()
    {
        var b = new ModelBuilder();
        Define(b, "Inner", 1, (body, x) => body.Call("Neg", [x[0]]));
        Define(b, "Choose", 2, (body, x) => body.Call("If", [x[1]], attributes: [Attr.Of("then_branch", Branch(body, x[0])), Attr.Of("else_branch", Branch(body, body.Call("Abs", [x[0]])))]));
        var x = b.Input("x", N, 4);
        var condition = b.Graph.AddConstant("condition", TensorData.Scalar(true));
        var y = b.Call("If", [Attr.Of("then_branch", Branch(b.Graph, x)), Attr.Of("else_branch", Branch(b.Graph, x))], condition);
        b.Output("y", y).Output("z", Call(b.Graph, "Choose", x, condition)).Check(Pass, "If Abs If");
        Assert.IsTrue(b.Graph.Nodes.SelectMany(n => n.Subgraphs).All(g => g.Nodes.Single().OpType == "Neg"));

        static Graph Branch(Graph outer, Value? value)
        {
            var branch = new Graph("branch", outer);
            var result = Call(branch, "Inner", value);
            result.Type = new TensorType(ElementType.Float32);
            branch.AddOutput(result);
            return branch;
        }
    }

    [TestMethod]
    public void Operators_of_another_opset_are_refused_unless_they_are_the_same()
    {
        var b = new ModelBuilder(opset: 17);
        Define(b, "Old", 1, (body, x) => body.Call("Neg", [x[0]])).OpsetImports[""] = 16;
        b.Output("y", Call(b.Graph, "Old", b.Input("x", N, 4)));
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => Pass.Run(b.Model.Clone()));
        StringAssert.Contains(error.Message, "local::Old");
        new InlineFunctions((node, theirs, ours) => (node.OpType, theirs, ours) == ("Neg", 16, 17)).Run(b.Model);
        Assert.AreEqual("Neg", b.Model.Ops());
    }

    [TestMethod]
    public void Calls_that_do_not_fit_are_refused()
    {
        var b = new ModelBuilder();
        Define(b, "One", 1, (body, x) => body.Call("Neg", [x[0]]));
        var x = b.Input("x", N, 4);
        b.Output("y", Call(b.Graph, "One", x, x));
        StringAssert.Contains(Assert.ThrowsExactly<ModelFormatException>(() => Pass.Run(b.Model)).Message, "2 inputs");
    }

    [TestMethod]
    public void A_function_that_calls_itself_is_refused()
    {
        var b = new ModelBuilder();
        Define(b, "Again", 1, (body, x) => Call(body, "Again", x[0]));
        b.Output("y", Call(b.Graph, "Again", b.Input("x", N, 4)));
        StringAssert.Contains(Assert.ThrowsExactly<ModelFormatException>(() => Pass.Run(b.Model)).Message, "call themselves");
    }

    [TestMethod]
    [DataRow(101, 1, "deeper than 100")]
    [DataRow(30, 2, "more than 100000 nodes")]
    public void Functions_that_nest_too_deep_or_expand_to_too_much_are_refused_at_once(int levels, int calls, string message)
    {
        var b = new ModelBuilder();
        Define(b, "f0", 1, (body, x) => body.Call("Neg", [x[0]]));
        for (var level = 1; level < levels; level++)
            Define(b, $"f{level}", 1, (body, x) => Enumerable.Range(0, calls).Aggregate(x[0], (value, _) => Call(body, $"f{level - 1}", value!))!);
        b.Output("y", Call(b.Graph, $"f{levels - 1}", b.Input("x", N, 4)));
        StringAssert.Contains(Assert.ThrowsExactly<ModelFormatException>(() => Pass.Run(b.Model)).Message, message);
    }

    [TestMethod]
    public void Functions_that_nothing_calls_are_removed_and_those_called_by_others_stay()
    {
        var b = new ModelBuilder();
        Define(b, "inner", 1, (body, x) => body.Call("Neg", [x[0]]));
        Define(b, "outer", 1, (body, x) => Call(body, "inner", x[0]!));
        Define(b, "alone", 1, (body, x) => body.Call("Abs", [x[0]]));
        Define(b, "caller of inner that nothing calls", 1, (body, x) => Call(body, "inner", x[0]!));
        b.Output("y", Call(b.Graph, "outer", b.Input("x", N, 4)));
        Assert.AreEqual(2, new RemoveDeadFunctions().Apply(b.Model));
        CollectionAssert.AreEqual(new[] { "inner", "outer" }, b.Model.Functions.Select(f => f.Name).ToArray());
        Assert.AreEqual(0, new RemoveDeadFunctions().Apply(b.Model));
    }

    [TestMethod]
    public void A_large_file_may_expand_in_proportion()
    {
        var b = new ModelBuilder();
        Define(b, "Long", 1, (body, x) => Enumerable.Range(0, 15_000).Aggregate(x[0], (value, _) => body.Call("Neg", [value!]))!);
        b.Output("y", Enumerable.Range(0, 3).Aggregate(b.Input("x", N, 4), (value, _) => Call(b.Graph, "Long", value)));
        Assert.IsTrue(Pass.Run(b.Model));
        Assert.AreEqual(45_000, b.Graph.NodeCount);
    }

    [TestMethod]
    public void Functions_read_from_a_file_are_expanded()
    {
        var b = new ModelBuilder();
        Define(b, "Inner", 1, (body, x) => body.Call("Neg", [x[0]]));
        b.Output("y", Call(b.Graph, "Inner", b.Input("x", N, 4)));
        var read = OnnxFile.Read(OnnxFile.ToBytes(b.Model));
        Assert.IsTrue(Pass.Run(read));
        Assert.AreEqual("Neg", read.Ops());
    }

    private static Function Define(ModelBuilder b, string name, int inputs, Func<Graph, Value?[], Value> build)
    {
        var body = new Graph(name);
        body.AddOutput(build(body, [.. Enumerable.Range(0, inputs).Select(i => body.AddInput($"in{i}"))]));
        return Add(b, name, body);
    }

    private static Function Add(ModelBuilder b, string name, Graph body)
    {
        var function = new Function(Domain, name, body);
        function.OpsetImports[""] = b.Model.Opset;
        function.OpsetImports[Domain] = 1;
        b.Model.OpsetImports[Domain] = 1;
        b.Model.Functions.Add(function);
        return function;
    }

    private static Value Call(Graph graph, string name, params Value?[] inputs) => graph.Call(name, inputs, domain: Domain);
}
