using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>On a machine whose loader finds another libtorch, every verb works as on any other.</summary>
[TestClass]
public sealed class ForeignLibTorchTests
{
    // These hand numbers to libtorch as soon as they are read, before anything is computed.
    private static readonly string[] BoundWithNumbers = ["LeakyRelu", "Elu", "Celu", "Selu", "ThresholdedRelu", "HardSigmoid", "Shrink"];

    [TestMethod]
    [DataRow("inspect")]
    [DataRow("verify")]
    [DataRow("prune")]
    [DataRow("search --dry-run")]
    [DataRow("search --epochs 1 --retrain-epochs 0 --batch-size 8")]
    public void A_verb_works_with_another_libtorch_on_the_library_path(string verb)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Libraries are searched by LD_LIBRARY_PATH on Linux only.");
        using var bench = new Workbench();
        DecoyLibraries.WriteTo(bench["decoys"]);
        File.WriteAllText(bench["arch.json"], """{"op": "linear", "inputs": ["0", "1"]}""");
        string[] arguments = [.. verb.Split(' '), bench.Classifier(AddOperators)];
        if (verb.StartsWith("search", StringComparison.Ordinal))
            arguments = [.. arguments, "-o", bench["out"]];
        if (verb == "prune")
            arguments = [.. arguments, "--arch", bench["arch.json"], "-o", bench["plain.onnx"]];
        var (code, output) = FreshProcess.RunLibrary("onnxnas.dll", arguments, ("LD_LIBRARY_PATH", bench["decoys"]));
        Assert.AreEqual(0, code, output);
    }

    // Side outputs of all of them, one whose shape is folded from constants included.
    private static void AddOperators(NetBuilder net)
    {
        var x = net.Graph.Inputs[0];
        foreach (var op in BoundWithNumbers)
            net.Graph.AddOutput(Typed(net.Op(op, x)));
        net.Graph.AddOutput(Typed(net.Op("Clip", x, net.Constant("low", [], _ => 0), net.Constant("high", [], _ => 6))));
        net.Graph.AddOutput(Typed(net.Op("Add", x, net.Op("Exp", net.Constant("folded", [4], i => i)))));

        static Value Typed(Value value)
        {
            value.Type = new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), 4));
            return value;
        }
    }
}
