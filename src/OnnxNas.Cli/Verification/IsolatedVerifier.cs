using System.Text;
using System.Text.Json;
using OnnxNas.Cli.Commands;
using OnnxNas.Cli.Reports;
using OnnxNas.Evaluation.Isolation;

namespace OnnxNas.Cli.Verification;

/// <summary>Verifies paths in a worker process: a model that ends it is a result like any other.</summary>
/// <param name="error">Where it is said that there is no worker process.</param>
internal sealed class IsolatedVerifier(TextWriter error) : IDisposable
{
    /// <summary>The name of the worker's job.</summary>
    public const string Job = "verify";

    private IsolatedJobs? jobs = WorkerCommand.Program is { } program ? new(program, WorkerLimits.Default) : null;

    /// <summary>Verifies one path.</summary>
    public VerificationResult Verify(string path, CancellationToken cancellation)
    {
        if (jobs is null)
            return Verifier.Verify(path);
        try
        {
            var outcome = jobs.Run(Job, Encoding.UTF8.GetBytes(path), cancellation);
            return outcome.End switch
            {
                WorkerEnd.Done => JsonSerializer.Deserialize<VerificationResult>(outcome.Reply, JsonText.Options)!,
                WorkerEnd.Crashed => new(path, VerificationResult.Crash, null, $"the process that ran it ended by {outcome.Reason}"),
                _ => new(path, VerificationResult.Error, null, outcome.Reason),
            };
        }
        catch (WorkerException e)
        {
            error.WriteLine($"note: models are verified in this process, since no other can be started: {Tables.Printable(e.Message.ReplaceLineEndings(" "))}");
            Dispose();
            return Verifier.Verify(path);
        }
    }

    /// <summary>The worker's side.</summary>
    public static byte[] Serve(byte[] path) => JsonSerializer.SerializeToUtf8Bytes(Verifier.Verify(Encoding.UTF8.GetString(path)), JsonText.Options);

    public void Dispose()
    {
        jobs?.Dispose();
        jobs = null;
    }
}
