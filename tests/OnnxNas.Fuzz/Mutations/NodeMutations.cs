using Google.Protobuf.Collections;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Which operators, in which order, of which version; functions that call one another.</summary>
internal static class NodeMutations
{
    private const string Kind = "nodes";

    private static readonly (string Domain, string Name)[] Operators = [.. SupernetOperators.Registry.Definitions.Select(d => (d.Domain, d.Name))];

    public static IReadOnlyList<Mutation> All { get; } =
    [
        Node("operator of another node", (node, model, random) =>
        {
            var other = random.Pick(ModelParts.Nodes(model).ToList());
            (node.OpType, other.OpType, node.Domain, other.Domain) = (other.OpType, node.OpType, other.Domain, node.Domain);
        }),
        Node("any operator", (node, _, random) => (node.Domain, node.OpType) = random.Pick(Operators)),
        Node("marker in place of an operator", (node, _, random) => (node.Domain, node.OpType) = ("org.onnxnas", random.NextInt(2) == 0 ? "LayerChoice" : "InputChoice")),
        Node("strange operator", (node, _, random) => node.OpType = Extremes.Text(random)),
        Node("strange domain", (node, _, random) => node.Domain = Extremes.Text(random)),
        Node("strange name", (node, _, random) => node.Name = Extremes.Text(random)),
        Node("overload", (node, _, random) => node.Overload = Extremes.Text(random)),
        List("drop a node", (list, random) => list.RemoveAt(random.NextInt(list.Count))),
        List("double a node", (list, random) => list.Insert(random.NextInt(list.Count + 1), random.Pick(list).Clone())),
        List("double a node, with outputs of its own", (list, random) =>
        {
            var copy = random.Pick(list).Clone();
            for (var i = 0; i < copy.Output.Count; i++)
                copy.Output[i] += "_2";
            list.Add(copy);
        }),
        List("move a node", (list, random) =>
        {
            var node = random.Pick(list);
            list.Remove(node);
            list.Insert(random.NextInt(list.Count + 1), node);
        }),
        List("chain of copies", (list, random) =>
        {
            var first = random.Pick(list);
            if (first.Output.Count == 0 || first.Input.Count == 0)
                return;
            var last = first.Output[0];
            for (var i = 0; i < 1 << random.NextInt(8); i++)
            {
                var copy = first.Clone();
                (copy.Name, copy.Input[0]) = ($"{first.Name}{i}", last);
                for (var k = 0; k < copy.Output.Count; k++)
                    copy.Output[k] = $"{first.Output[k]}_{i}";
                last = copy.Output[0];
                list.Add(copy);
            }
        }),
        ModelParts.Edit(Kind, "opset", model => model.OpsetImport, (opset, _, random) => opset.Version = random.NextInt(3) == 0 ? Extremes.Integer(random) : 1 + random.NextInt(30)),
        ModelParts.Edit(Kind, "domain of an opset", model => model.OpsetImport, (opset, _, random) => opset.Domain = Extremes.Text(random)),
        ModelParts.Edit(Kind, "version of the format", (model, random) =>
        {
            model.IrVersion = random.NextInt(2) == 0 ? Extremes.Integer(random) : random.NextInt(16);
            return true;
        }),
        ModelParts.Edit(Kind, "a node calls a function", model => model.Functions, (function, model, random) =>
        {
            if (ModelParts.Nodes(model).ToList() is { Count: > 0 } nodes && random.Pick(nodes) is var node)
                (node.Domain, node.OpType, node.Overload) = (function.Domain, function.Name, function.Overload);
        }),
        ModelParts.Edit(Kind, "a function for an operator", (model, random) =>
        {
            if (ModelParts.Nodes(model).ToList() is not { Count: > 0 } nodes)
                return false;
            var (called, body) = (random.Pick(nodes), random.Pick(nodes));
            var function = new FunctionProto { Domain = called.Domain, Name = called.OpType };
            function.Input.AddRange(body.Input.Where(n => n.Length > 0).Distinct());
            function.Output.AddRange(body.Output.Where(n => n.Length > 0).Distinct());
            function.Node.Add(body.Clone());
            function.OpsetImport.AddRange(model.OpsetImport);
            model.Functions.Add(function);
            return true;
        }),
        ModelParts.Edit(Kind, "drop a function", model => model.Functions, (function, model, _) => model.Functions.Remove(function)),
        ModelParts.Edit(Kind, "formal values of a function", model => model.Functions, (function, _, random) =>
        {
            var list = random.NextInt(2) == 0 ? function.Input : function.Output;
            if (list.Count > 0 && random.NextInt(2) == 0)
                list.RemoveAt(random.NextInt(list.Count));
            else
                list.Add(list.Count > 0 && random.NextInt(2) == 0 ? list[0] : Extremes.Text(random));
        }),
    ];

    private static Mutation Node(string name, Action<NodeProto, ModelProto, SeededRandom> change) => ModelParts.Edit(Kind, name, ModelParts.Nodes, change);

    private static Mutation List(string name, Action<RepeatedField<NodeProto>, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => ModelParts.NodeLists(model).Where(list => list.Count > 0), (list, _, random) => change(list, random));
}
