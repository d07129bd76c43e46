using System.Diagnostics;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation.Tests;

[TestClass]
public sealed class SilenceTests
{
    private const string Child = "ONNXNAS_SILENCE_CHILD";

    [TestMethod]
    public void ONNX_Runtime_prints_nothing_even_when_it_fails()
    {
        if (Environment.GetEnvironmentVariable(Child) is not null)
        {
            Provoke();
            return;
        }

        // Only a process of its own lets the native library's standard error be seen.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(SilenceTests).Assembly.Location);
        start.ArgumentList.Add("--filter");
        start.ArgumentList.Add(nameof(ONNX_Runtime_prints_nothing_even_when_it_fails));
        start.Environment[Child] = "1";
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.AreEqual(0, process.ExitCode, output.Result + error);
        Assert.AreEqual("", error);
        Assert.IsFalse(output.Result.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase), output.Result);
    }

    private static void Provoke()
    {
        Assert.ThrowsExactly<ModelFormatException>(() => new OnnxSession([1, 2, 3]));
        // An initializer nobody reads draws a warning, an impossible Reshape an error.
        using var session = new OnnxSession(SmallModels.Bytes(ElementType.Float32, ["N"], (graph, x) =>
        {
            graph.AddInitializer("unused", TensorData.Vector(1f));
            var y = graph.AddValue("y", new TensorType(ElementType.Float32));
            graph.AddNode("Reshape", [x, graph.AddInitializer("shape", TensorData.Vector(7L))], [y]);
            return y;
        }));
        Assert.ThrowsExactly<ModelFormatException>(() => session.Run(new Dictionary<string, TensorData> { ["x"] = TensorData.Vector(1f, 2) }));
    }
}
