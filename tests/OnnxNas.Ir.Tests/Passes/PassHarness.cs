using OnnxNas.Evaluation;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;

namespace OnnxNas.Ir.Tests.Passes;

/// <summary>Runs a pass and checks what every pass promises.</summary>
internal static class PassHarness
{
    public static ITypeRules Rules => OperatorRegistry.Default;

    /// <summary>The operators in order: <c>Conv Relu Add</c>.</summary>
    public static string Ops(this Model model) => string.Join(' ', model.Graph.Nodes.Select(n => n.OpType));

    /// <summary>
    /// Runs the pass; the operators are then <paramref name="expected"/>, ONNX Runtime gives the same outputs under the
    /// same names for two batch sizes, and a second run changes nothing.
    /// </summary>
    public static void Check(this ModelBuilder builder, Pass pass, string expected, bool changes = true) =>
        Check(builder.Model, pass.Run, expected, changes);

    public static void Check(this ModelBuilder builder, PassManager passes, string expected) =>
        Check(builder.Model, m => passes.RunToFixpoint(m).Changes > 0, expected, changes: true);

    private static void Check(Model model, Func<Model, bool> run, string expected, bool changes)
    {
        var before = OnnxFile.ToBytes(model);
        Assert.AreEqual(changes, run(model), "Whether the pass reports a change.");
        Assert.AreEqual(expected, model.Ops());
        var after = OnnxFile.ToBytes(model);
        AssertSameAnswers(before, after);
        Assert.IsFalse(run(model), "The second run reports a change.");
        CollectionAssert.AreEqual(after, OnnxFile.ToBytes(model), "The second run changes the file.");
    }

    public static void AssertSameAnswers(byte[] before, byte[] after)
    {
        var plain = new OnnxSessionOptions { GraphOptimization = false };
        using var old = new OnnxSession(before, plain);
        using var changed = new OnnxSession(after, plain);
        CollectionAssert.AreEqual(old.Inputs.Select(i => i.Name).ToArray(), changed.Inputs.Select(i => i.Name).ToArray());
        CollectionAssert.AreEqual(old.Outputs.Select(o => o.Name).ToArray(), changed.Outputs.Select(o => o.Name).ToArray());
        foreach (var batch in new[] { 1, 3 })
        {
            var feeds = RandomInputs.For(old, 11, batch);
            foreach (var (a, b) in old.Run(feeds).Zip(changed.Run(feeds)))
            {
                Assert.AreEqual(a.ToString(), b.ToString());
                foreach (var (x, y) in a.ToDoubles().Zip(b.ToDoubles()))
                    Assert.IsTrue(x.Equals(y) || Math.Abs(x - y) <= 1e-6 * (1 + Math.Abs(x)), $"{x} became {y}.");
            }
        }
    }
}

/// <summary>Computes nodes with ONNX Runtime, as models of one node.</summary>
internal sealed class RuntimeEvaluator : IConstantEvaluator
{
    public List<string> Asked { get; } = [];

    public IReadOnlyList<TensorData?>? Evaluate(Node node, IReadOnlyList<TensorData?> inputs, IReadOnlyDictionary<string, int> opsets)
    {
        Asked.Add(node.OpType);
        var graph = new Graph("one");
        var values = inputs.Select((t, i) => t is null ? null : graph.AddInitializer($"i{i}", t)).ToArray();
        var outputs = node.Outputs.Select((o, i) => o is null ? null : graph.AddValue($"o{i}")).ToArray();
        graph.AddNode(node.OpType, values, outputs, attributes: node.Attributes.Values);
        foreach (var output in outputs.OfType<Value>())
            graph.AddOutput(output);
        var model = new Model(graph);
        model.OpsetImports[""] = opsets[""];
        ShapeInference.Run(model, PassHarness.Rules);
        using var session = new OnnxSession(OnnxFile.ToBytes(model));
        var results = session.Run(new Dictionary<string, TensorData>());
        var next = 0;
        return [.. outputs.Select(o => o is null ? null : results[next++])];
    }
}
