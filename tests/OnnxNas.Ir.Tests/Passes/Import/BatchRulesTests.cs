using OnnxNas.Evaluation;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Passes.Import;

/// <summary>
/// Every model of ONNX's own cases whose inputs agree in their first extent, taken for one with a baked batch: wherever the rules say that an operator keeps samples apart,
/// ONNX Runtime must give each sample what it gives it beside other samples.
/// </summary>
[TestClass]
public sealed class BatchRulesTests
{
    public TestContext TestContext { get; set; } = null!;

    [TestMethod]
    [DataRow("onnx-node-tests", false, 270)]
    [DataRow("onnx-node-tests", true, 240)]
    [DataRow("onnx-model-tests/pytorch-operator", false, 20)]
    public void What_the_rules_say_of_an_operator_is_true(string root, bool othersAreConstant, int atLeast)
    {
        var (checkedCases, failures, refused, unrunnable) = (new List<string>(), new List<string>(), 0, 0);
        foreach (var folder in Directory.GetDirectories(RepositoryFiles.Shared(root.Split('/'))).Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(folder);
            var model = OnnxFile.Read(Path.Combine(folder, "model.onnx"));
            if (model.Opset is < OperatorRegistry.OldestOpset or > OperatorRegistry.NewestOpset || model.Graph.Nodes.Any(IsUnsteady))
                continue;
            new DropDefaultInputs().Apply(model);
            if (othersAreConstant && !FixOthers(model, folder))
                continue;
            if (!Runs(model))
            {
                unrunnable++;
                continue;
            }

            var trial = model.Clone();
            if (BakedBatch.Pass.Apply(trial) == 0)
            {
                refused++;
                continue;
            }

            try
            {
                BakedBatch.BecomesDynamic(model, 1e-4);
            }
            catch (Exception e) when (e is AssertFailedException or OnnxNasException)
            {
                failures.Add($"{name}: {e.Message}");
            }

            checkedCases.Add(name);
        }

        TestContext.WriteLine($"{checkedCases.Count} models checked, {refused} refused or dynamic, {unrunnable} that ONNX Runtime does not run on random input.");
        TestContext.WriteLine(string.Join(' ', checkedCases));
        Assert.IsEmpty(failures, string.Join('\n', failures));
        Assert.IsGreaterThanOrEqualTo(atLeast, checkedCases.Count);
    }

    // Makes constants of all inputs but the first: weights, shapes and the like, with the numbers that the case gives.
    private static bool FixOthers(Model model, string folder)
    {
        var inputs = model.Graph.Inputs.ToList();
        if (inputs.Count < 2 || inputs.Any(i => i.Type is not TensorType))
            return false;
        for (var i = 1; i < inputs.Count; i++)
        {
            var file = Path.Combine(folder, "test_data_set_0", $"input_{i}.pb");
            if (!File.Exists(file))
                return false;
            model.Graph.SetInitializer(inputs[i], OnnxFile.ReadTensor(file));
            model.Graph.RemoveInput(inputs[i]);
        }

        return true;
    }

    // Random, a division by what may be 0 in random whole numbers, or a normalisation over the batch, which is no one's answer at inference.
    private static bool IsUnsteady(Node node) => node.OpType is "Dropout" or "Bernoulli" || node.OpType.StartsWith("Random", StringComparison.Ordinal)
        || node is { OpType: "BatchNormalization", Outputs.Count: > 1 }
        || node.OpType is "Div" or "Mod" && node.Inputs[0]!.Element.IsInteger();

    private static bool Runs(Model model)
    {
        // ONNX Runtime crashes on some that hold sequences and optional values.
        if (!model.Graph.Inputs.Concat(model.Graph.Outputs).All(v => v.Type is TensorType))
            return false;
        try
        {
            using var session = new OnnxSession(OnnxFile.ToBytes(model), new OnnxSessionOptions { GraphOptimization = false });
            session.Run(RandomInputs.For(session, 5));
            return session.Inputs.Count > 0 && session.Inputs.All(i => i.Shape is { Rank: > 0 });
        }
        catch (OnnxNasException)
        {
            return false;
        }
    }
}
