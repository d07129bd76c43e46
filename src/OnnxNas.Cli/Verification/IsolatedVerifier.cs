using System.Text.Json;
using OnnxNas.Cli.Commands;
using OnnxNas.Cli.Reports;
using OnnxNas.Evaluation.Isolation;
using OnnxNas.Ir;

namespace OnnxNas.Cli.Verification;

/// <summary>Verifies paths in a worker process: a model that ends it is a result like any other.</summary>
/// <param name="error">Where it is said that there is no worker process.</param>
internal sealed class IsolatedVerifier(TextWriter error) : IDisposable
{
    /// <summary>The name of the worker's job.</summary>
    public const string Job = "verify";

    private IsolatedJobs? jobs = WorkerCommand.Program is { } program ? new(program, WorkerLimits.Default) : null;

    /// <summary>Verifies one path; <paramref name="memory"/> as <see cref="Verifier.Verify"/> takes it.</summary>
    public VerificationResult Verify(string path, long? memory)
    {
        if (jobs is null)
            return Verifier.Verify(path, memory);
        try
        {
            var outcome = jobs.Run(Job, JsonSerializer.SerializeToUtf8Bytes(new VerificationRequest(path, memory), JsonText.Options));
            return outcome.End switch
            {
                WorkerEnd.Done => JsonSerializer.Deserialize<VerificationResult>(outcome.Reply, JsonText.Options)!,
                WorkerEnd.Crashed => new(path, VerificationResult.Crash, null, $"the process that ran it ended by {outcome.Reason}"),
                _ => new(path, VerificationResult.Error, null, outcome.Reason),
            };
        }
        catch (WorkerException e)
        {
            error.WriteLine($"note: models are verified in this process, since no other can be started: {Printable.Message(e.Message.ReplaceLineEndings(" "))}");
            Dispose();
            return Verifier.Verify(path, memory);
        }
    }

    /// <summary>The worker's side.</summary>
    public static byte[] Serve(byte[] request)
    {
        var (path, memory) = JsonSerializer.Deserialize<VerificationRequest>(request, JsonText.Options)!;
        return JsonSerializer.SerializeToUtf8Bytes(Verifier.Verify(path, memory), JsonText.Options);
    }

    public void Dispose()
    {
        jobs?.Dispose();
        jobs = null;
    }
}
