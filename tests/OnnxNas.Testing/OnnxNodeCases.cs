using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Testing;

/// <summary>The ONNX project's own cases: a folder with a model, and inputs with the outputs it must give.</summary>
public static class OnnxNodeCases
{
    private const string NodeTests = "onnx-node-tests";
    private const double Absolute = 1e-5;
    private const double Relative = 1e-3;

    /// <summary>
    /// Names of the cases all of whose nodes are among <paramref name="operators"/> (of ai.onnx); one empty name where the cases are absent,
    /// so that a test can say so. Opsets that are not served are left out.
    /// </summary>
    public static IEnumerable<string> Of(IReadOnlySet<string> operators)
    {
        return Folders(NodeTests) is not [{ Length: > 0 }, ..] folders ? [""] :
            from folder in folders
            let model = OnnxFile.Read(Path.Combine(Root(NodeTests), folder, "model.onnx"))
            where model.Opset <= OperatorRegistry.NewestOpset
            where model.Graph.Nodes.All(n => n.Domain.Length == 0 && operators.Contains(n.OpType))
            select folder;
    }

    /// <summary>Names of all cases in a folder of the shared material; one empty name where it is absent.</summary>
    public static IReadOnlyList<string> Folders(string root) =>
        Directory.Exists(Root(root)) ? [.. Directory.GetDirectories(Root(root)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)] : [""];

    /// <summary>Runs a case. It is inconclusive where tensors have element types that are not executed here.</summary>
    public static void Check(string name, bool training = false, string root = NodeTests)
    {
        var folder = name.Length == 0 ? RepositoryFiles.Shared(root) : RepositoryFiles.Shared(root, name);
        var model = OnnxFile.Read(Path.Combine(folder, "model.onnx"));
        foreach (var value in model.Graph.Inputs.Concat(model.Graph.Outputs))
            RequireExecutable(value.Element);
        var inputs = model.Graph.Inputs.Where(i => i.Initializer is null).ToList();
        using var module = new GraphModule(model) { Training = training };
        foreach (var set in Directory.GetDirectories(folder, "test_data_set_*"))
        {
            using var scope = NewDisposeScope();
            var feeds = Tensors(set, "input").Zip(inputs).ToDictionary(p => p.Second.Name, p => p.First.ToTorch());
            var outputs = module.Forward(feeds);
            foreach (var (expected, i) in Tensors(set, "output").Select((t, i) => (t, i)))
            {
                var result = Parity.Compare(outputs[i].ToTensorData(), expected, Absolute, Relative);
                Assert.IsTrue(result.Passed, $"{name}: output {i}: {result.Message}");
            }
        }
    }

    private static string Root(string root) => Path.Combine(RepositoryFiles.Root, "..", "shared", root);

    private static IEnumerable<TensorData> Tensors(string set, string kind)
    {
        for (var i = 0; Path.Combine(set, $"{kind}_{i}.pb") is var path && File.Exists(path); i++)
            yield return OnnxFile.ReadTensor(path);
    }

    private static void RequireExecutable(ElementType type)
    {
        try
        {
            type.ToTorch();
        }
        catch (UnsupportedOperatorException)
        {
            Assert.Inconclusive($"Tensors of {type} are not executed.");
        }
    }
}
