using System.Diagnostics;
using OnnxNas.Cli.Commands;
using OnnxNas.Evaluation;
using OnnxNas.Evaluation.Isolation;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Verification;

/// <summary>What ends a worker, seen from outside.</summary>
[TestClass]
public sealed class WorkerTests
{
    private static readonly WorkerLimits Wide = new(TimeSpan.FromMinutes(5), long.MaxValue);

    [TestMethod]
    public void Jobs_go_on_after_a_crash_and_an_exception_is_no_crash()
    {
        using var jobs = new IsolatedJobs(WorkerCommand.Program!, Wide);
        var killer = Killer.Plain();
        var error = Assert.ThrowsExactly<ModelFormatException>(() => RuntimeProbe.Require(jobs, OnnxSession.MessageOf(killer), RandomInputs.For(killer, 1), "'x'"));
        Assert.Contains("while it ran 'x'", error.Message);
        RuntimeProbe.Require(jobs, OnnxSession.MessageOf(killer), null, "'x'");
        Assert.AreEqual(WorkerEnd.Failed, jobs.Run(RuntimeProbe.Job, new byte[] { 1 }).End);
        Assert.AreEqual(WorkerEnd.Failed, jobs.Run("no such job", default).End);
    }

    [TestMethod]
    public void A_job_over_a_limit_is_ended_and_the_next_one_is_done()
    {
        var (endless, small) = (OnnxSession.MessageOf(Endless()), OnnxSession.MessageOf(Small()));
        using var hurried = new IsolatedJobs(WorkerCommand.Program!, Wide with { Time = TimeSpan.FromSeconds(2) });
        var error = Assert.ThrowsExactly<ModelFormatException>(() => RuntimeProbe.Require(hurried, endless, RandomInputs.For(Endless(), 1), "'x'"));
        Assert.Contains("longer than 2 seconds", error.Message);
        using var narrow = new IsolatedJobs(WorkerCommand.Program!, Wide with { MemoryBytes = 1 });
        var memory = Assert.ThrowsExactly<ModelFormatException>(() => RuntimeProbe.Require(narrow, endless, RandomInputs.For(Endless(), 1), "'x'"));
        Assert.Contains("MiB", memory.Message);
        RuntimeProbe.Require(hurried, small, null, "'y'");
    }

    [TestMethod]
    public void A_worker_ends_with_its_standard_input_in_the_middle_of_a_job_too()
    {
        foreach (var isBusy in new[] { false, true })
        {
            var start = new ProcessStartInfo(WorkerCommand.Program!.FileName, WorkerCommand.Program.Arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            process.StandardOutput.ReadLine();
            if (isBusy)
            {
                using var folder = new TemporaryFolder();
                File.WriteAllBytes(folder.File("net.onnx"), OnnxSession.MessageOf(Endless()).Bytes);
                using var writer = new BinaryWriter(process.StandardInput.BaseStream, System.Text.Encoding.UTF8, leaveOpen: true);
                var path = System.Text.Encoding.UTF8.GetBytes(folder.File("net.onnx"));
                writer.Write("verify");
                writer.Write(path.Length);
                writer.Write(path);
                writer.Flush();
                Thread.Sleep(TimeSpan.FromSeconds(1));
            }

            process.StandardInput.Close();
            Assert.IsTrue(process.WaitForExit(TimeSpan.FromMinutes(2)), $"busy: {isBusy}");
        }
    }

    private static Model Small()
    {
        var net = new NetBuilder();
        return net.Build((net.Op("Relu", net.Input("x", 2)), [2]));
    }

    // A loop of 2^62 rounds.
    private static Model Endless()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 2);
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, new Shape()));
        var go = body.AddInput("go", new TensorType(ElementType.Bool, new Shape()));
        var state = body.AddInput("state", new TensorType(ElementType.Float32, new Shape(2)));
        body.AddOutput(body.Call("Identity", [go], "still"));
        body.AddOutput(body.Call("Neg", [state], "next"));
        var rounds = net.Graph.AddInitializer("rounds", TensorData.Scalar(1L << 62));
        return net.Build((net.Op("Loop", [rounds, null, x], Attr.Of("body", body)), [2]));
    }
}
