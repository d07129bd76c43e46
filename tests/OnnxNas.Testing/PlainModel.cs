using OnnxNas.Ir;

namespace OnnxNas.Testing;

/// <summary>What a pruned file must be: nothing of the marker format, nothing dead, nothing a decision left behind, the signature of its source.</summary>
public static class PlainModel
{
    private const string Domain = "org.onnxnas";

    /// <summary>Checks a pruned model against the marked one it was cut from.</summary>
    public static void Check(Model plain, Model source, string what)
    {
        ArgumentNullException.ThrowIfNull(plain);
        ArgumentNullException.ThrowIfNull(source);
        HasNoTrace(plain, what);
        HasNothingDead(plain.Graph, what);
        HasNothingLeftBehind(plain.Graph, what);
        Assert.AreEqual(Signature(source.Graph), Signature(plain.Graph), what);
        var expected = source.OpsetImports.Where(o => !o.Key.StartsWith(Domain, StringComparison.Ordinal)).Select(o => $"{o.Key} {o.Value}");
        CollectionAssert.AreEquivalent(expected.ToArray(), plain.OpsetImports.Select(o => $"{o.Key} {o.Value}").ToArray(), what);
    }

    private static void HasNoTrace(Model plain, string what)
    {
        var metadata = plain.Metadata.Concat(plain.Graph.Metadata)
            .Concat(plain.Graph.Nodes.SelectMany(n => n.Metadata)).Concat(plain.Graph.Values.SelectMany(v => v.Metadata)).Select(m => m.Key);
        string[] all = [.. plain.Graph.Nodes.Select(n => n.Domain), .. plain.Functions.Select(f => f.Domain), .. plain.OpsetImports.Keys, .. metadata];
        Assert.DoesNotContain(name => name.StartsWith(Domain, StringComparison.Ordinal), all, what);
    }

    private static void HasNothingDead(Graph graph, string what)
    {
        var live = new HashSet<Value>(graph.Outputs);
        foreach (var node in graph.Nodes.Reverse())
        {
            Assert.IsTrue(node.Outputs.Any(o => o is not null && live.Contains(o)), $"{what}: {node} leads to no output.");
            live.UnionWith(Graph.Reads(node));
        }

        foreach (var initializer in graph.Initializers)
            Assert.IsTrue(live.Contains(initializer), $"{what}: initializer '{initializer.Name}' is not used.");
    }

    private static void HasNothingLeftBehind(Graph graph, string what)
    {
        foreach (var node in graph.Nodes)
        {
            if (node.OpType == "Mul")
                Assert.IsFalse(node.Inputs.Any(i => i!.Initializer is { } c && c.Type.IsFloatingPoint() && c.ToDoubles().All(v => v == 0)), $"{what}: {node} multiplies by zero.");
            if (node.OpType is "Add" or "Sum")
                Assert.IsFalse(node.Inputs.Any(i => i!.Initializer is { } c && c.Type.IsFloatingPoint() && c.ToDoubles().All(v => v == 0)), $"{what}: {node} adds zero.");
            if (node.OpType == "BatchNormalization")
            {
                Assert.HasCount(1, node.Outputs, $"{what}: {node}");
                Assert.AreNotEqual(1, node.Attribute("training_mode")?.AsInt() ?? 0, $"{what}: {node}");
            }

            Assert.AreNotEqual("Dropout", node.OpType, what);
        }
    }

    private static string Signature(Graph graph) => string.Join("; ", graph.Inputs.Where(i => i.Initializer is null).Concat(graph.Outputs).Select(v => $"{v.Name}: {v.Type}"));
}
