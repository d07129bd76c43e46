using Google.Protobuf;
using OnnxNas.Evaluation;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using static OnnxNas.Ir.Tests.Serialization.TestModels;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Nodes that do not stand in execution order are put in order on reading; cycles are refused by name.</summary>
[TestClass]
public sealed class NodeOrderTests
{
    private const string Moved = "nodes that stood before nodes they read from are put in order.";

    [TestMethod]
    public void A_chain_in_any_order_is_read_in_the_one_order_that_runs()
    {
        // x → Relu → a → Neg → b → Exp → y, in each of the six orders.
        NodeProto[] chain = [Node("Relu", ["x"], ["a"]), Node("Neg", ["a"], ["b"]), Node("Exp", ["b"], ["y"])];
        var expected = Run(Of(Chain(chain)));
        foreach (var order in new[] { "012", "021", "102", "120", "201", "210" })
        {
            var proto = Of(Chain([.. order.Select(i => chain[i - '0'].Clone())]));
            var model = OnnxFile.Read(proto.ToByteArray());
            CollectionAssert.AreEqual((string[])["Relu", "Neg", "Exp"], model.Graph.Nodes.Select(n => n.OpType).ToArray(), order);
            Assert.AreEqual(order == "012" ? 0 : 1, model.Findings.Count, order);
            CollectionAssert.AreEqual(expected, Run(ModelProto.Parser.ParseFrom(OnnxFile.ToBytes(model))), order);
        }
    }

    [TestMethod]
    public void A_graph_in_order_stays_as_it_is_whatever_other_orders_there_are()
    {
        var proto = Of(Chain([Node("Neg", ["x"], ["b"]), Node("Relu", ["x"], ["a"]), Node("Exp", ["b"], ["c"]), Node("Abs", ["a"], ["d"]), Node("Add", ["d", "c"], ["y"])]));
        var bytes = proto.ToByteArray();
        var model = OnnxFile.Read(bytes);
        Assert.IsEmpty(model.Findings);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(model));
    }

    [TestMethod]
    public void Nodes_that_may_stay_keep_their_order()
    {
        // The Cast that a converter has put at the end is what the first nodes wait for.
        var proto = Of(Chain([Node("Neg", ["h"], ["a"]), Node("Relu", ["h"], ["b"]), Node("Add", ["a", "b"], ["y"]), Node("Exp", ["x"], ["h"])]));
        var model = OnnxFile.Read(proto.ToByteArray());
        CollectionAssert.AreEqual((string[])["Exp", "Neg", "Relu", "Add"], model.Graph.Nodes.Select(n => n.OpType).ToArray());
        var finding = model.Findings.Single();
        Assert.AreEqual(Moved, finding.Message);
        CollectionAssert.AreEqual((string[])["Neg_a", "Relu_b"], finding.Subjects.ToArray());
        Assert.AreSame(finding, model.Clone().Findings.Single());
    }

    [TestMethod]
    public void A_node_waits_for_what_its_graphs_capture()
    {
        var branch = Node("If", ["c"], ["y"]);
        branch.Attribute.Add(Branch("then_branch", new GraphProto { Name = "then", Node = { Node("Neg", ["p"], ["r"]), Node("Abs", ["late"], ["p"]) }, Output = { Info("r") } }));
        branch.Attribute.Add(Branch("else_branch", new GraphProto { Name = "else", Node = { Node("Exp", ["x"], ["s"]) }, Output = { Info("s") } }));
        var proto = Of(Chain([branch, Node("Relu", ["x"], ["late"])]));
        proto.Graph.Input.Add(new ValueInfoProto { Name = "c", Type = new TypeProto { TensorType = new() { ElemType = 9, Shape = new() } } });
        var model = OnnxFile.Read(proto.ToByteArray());
        CollectionAssert.AreEqual((string[])["Relu", "If"], model.Graph.Nodes.Select(n => n.OpType).ToArray());
        CollectionAssert.AreEqual((string[])["Abs", "Neg"], model.Graph.Last!.Attribute("then_branch")!.AsGraph().Nodes.Select(n => n.OpType).ToArray());
        CollectionAssert.AreEqual((string[])["If_y", "Neg_r"], model.Findings.Single().Subjects.ToArray());
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        Assert.AreEqual(1, session.Run(new Dictionary<string, TensorData> { ["x"] = Sample(), ["c"] = TensorData.Scalar(true) }).Count);
    }

    [TestMethod]
    public void The_body_of_a_function_is_put_in_order_too()
    {
        var proto = Relu();
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "f", Version = 1 });
        proto.Graph.Node[0].Domain = "f";
        proto.Graph.Node[0].OpType = "F";
        proto.Functions.Add(new FunctionProto
        {
            Domain = "f",
            Name = "F",
            Input = { "i" },
            Output = { "o" },
            Node = { Node("Neg", ["h"], ["o"]), Node("Abs", ["i"], ["h"]) },
            OpsetImport = { new OperatorSetIdProto { Version = 17 } },
        });
        var model = OnnxFile.Read(proto.ToByteArray());
        CollectionAssert.AreEqual((string[])["Abs", "Neg"], model.Functions[0].Body.Nodes.Select(n => n.OpType).ToArray());
        CollectionAssert.AreEqual((string[])["Neg_o"], model.Findings.Single().Subjects.ToArray());
    }

    [TestMethod]
    public void A_cycle_is_refused_and_its_nodes_are_named()
    {
        Refused("Graph 'g' has a cycle: Neg 'Neg_b' needs Exp 'Exp_y' needs Neg 'Neg_b'.", Node("Relu", ["x"], ["a"]), Node("Neg", ["a", "y"], ["b"]), Node("Exp", ["b"], ["y"]));
        Refused("Graph 'g' has a cycle: Relu 'Relu_y' needs Relu 'Relu_y'.", Node("Relu", ["y"], ["y"]));
        var inner = Node("If", ["x"], ["y"]);
        inner.Attribute.Add(Branch("then_branch", new GraphProto { Name = "then", Node = { Node("Neg", ["z"], ["r"]) }, Output = { Info("r") } }));
        Refused("Graph 'g' has a cycle: If 'If_y' needs Abs 'Abs_z' needs If 'If_y'.", inner, Node("Abs", ["y"], ["z"]));
    }

    private static void Refused(string because, params NodeProto[] nodes)
    {
        var refusal = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(Of(Chain(nodes)).ToByteArray()));
        Assert.Contains(because, refusal.Message);
    }

    private static GraphProto Chain(params NodeProto[] nodes) => new() { Name = "g", Input = { Info("x") }, Output = { Info("y") }, Node = { nodes } };

    private static AttributeProto Branch(string name, GraphProto graph) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Graph, G = graph };

    private static float[] Run(ModelProto model)
    {
        using var session = new OnnxSession(model.ToByteArray());
        return session.Run(new Dictionary<string, TensorData> { ["x"] = Sample() })[0].AsSpan<float>().ToArray();
    }

    private static TensorData Sample() => TensorData.Create<float>([2, 4], [1, -2, 3, -4, 5, -6, 7, -8]);
}
