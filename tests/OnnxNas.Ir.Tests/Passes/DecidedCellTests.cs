using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;
using static OnnxNas.Ir.Tests.Passes.PassHarness;

namespace OnnxNas.Ir.Tests.Passes;

/// <summary>A real export of a NAS-Bench-201 space with the same candidate taken everywhere.</summary>
[TestClass]
public sealed class DecidedCellTests
{
    [TestMethod]
    [DataRow(false)]
    [DataRow(true)]
    public void What_a_decided_choice_leaves_behind_goes_away(bool keepWeights)
    {
        for (var candidate = 0; candidate < 5; candidate++)
        {
            var model = OnnxFile.Read(RepositoryFiles.Shared("models", "nb201-digits.onnx"));
            foreach (var node in model.Graph.Nodes.Where(n => n.OpType == "LayerChoice"))
            {
                model.Graph.ReplaceAllUses(node.Output, node.Inputs[candidate]!);
                model.Graph.RemoveNode(node);
            }

            model.Functions.Clear();
            model.OpsetImports.Remove("org.onnxnas");
            new PassManager([new RemoveDeadNodes(), new ToInferenceForm()]).Run(model);
            var before = OnnxFile.ToBytes(model);
            var cleanup = new PassManager(
            [
                new LiftConstants(), new EliminateIdentities(Rules), new SimplifyAlgebra(Rules, keepWeights),
                new MergeEqualNodes(), new RemoveDeadNodes(),
            ]);
            cleanup.RunToFixpoint(model);
            AssertSameAnswers(before, OnnxFile.ToBytes(model));
            Assert.AreEqual(0, cleanup.RunToFixpoint(model).Changes);
            foreach (var node in model.Graph.Nodes.Where(n => n.OpType is "Mul" or "Add"))
                Assert.IsFalse(node.Inputs.Any(i => i!.IsFilledWith(0, keepWeights: true)), $"candidate {candidate}: {node} reads a zero.");
        }
    }
}
