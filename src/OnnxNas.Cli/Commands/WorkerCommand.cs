using System.CommandLine;
using OnnxNas.Cli.Verification;
using OnnxNas.Evaluation.Isolation;

namespace OnnxNas.Cli.Commands;

/// <summary>The process that does what may end a process; the other commands start it.</summary>
internal sealed class WorkerCommand : CliCommand
{
    private const string Verb = "worker";

    /// <summary>How it is started, or null where this program has no file of its own: all is done in this process then.</summary>
    public static WorkerProgram? Program { get; set; } = Own;

    /// <summary>How it is started in this program.</summary>
    public static WorkerProgram? Own => WorkerProgram.Of(typeof(WorkerCommand).Assembly, Verb);

    public override int Order => int.MaxValue;

    public override Command Build(CommandContext context)
    {
        var command = new Command(Verb, "Serve the other commands") { Hidden = true };
        command.SetAction(_ =>
        {
            WorkerLoop.Serve(new Dictionary<string, Func<byte[], byte[]>>
            {
                [IsolatedVerifier.Job] = IsolatedVerifier.Serve,
                [RuntimeProbe.Job] = RuntimeProbe.Serve,
            });
            return CommandLine.Done;
        });
        return command;
    }
}
