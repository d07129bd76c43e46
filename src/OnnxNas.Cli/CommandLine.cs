using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using OnnxNas.Ir;
using OnnxNas.Search.Strategies;

namespace OnnxNas.Cli;

/// <summary>Parses arguments, runs a command, and turns errors into one line and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage.</summary>
    public const int Usage = 2;

    /// <summary>Interrupted by the user.</summary>
    public const int Interrupted = 130;

    /// <summary>Runs a command line; returns the exit code.</summary>
    public static int Run(IReadOnlyList<string> args, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(error);
        return Run(args, new ReportWriter(output), new ProgressWriter(error));
    }

    private static int Run(IReadOnlyList<string> args, ReportWriter output, ProgressWriter error)
    {
        var verbose = new Option<bool>("--verbose") { Description = "Show the stack of an error", Recursive = true };
        var root = new RootCommand("Neural architecture search on ONNX files.") { verbose };
        using var interruption = new Interruption(error);
        foreach (var command in CliCommand.All())
            root.Add(command.Build(new CommandContext(output, error, interruption)));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            error.WriteLine($"error: {parsed.Errors[0].Message} See 'onnxnas {parsed.CommandResult.Command.Name} --help'.".Replace("onnxnas onnxnas", "onnxnas", StringComparison.Ordinal));
            return Usage;
        }

        try
        {
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
        catch (Exception e)
        {
            var cause = CauseOf(e);
            if (parsed.GetValue(verbose) && cause is not OperationCanceledException)
            {
                foreach (var line in e.ToString().Split('\n'))
                    error.WriteLine(Printable.Line(line.TrimEnd('\r')));
            }

            return Explain(cause, error);
        }
    }

    // What the runtime wraps an exception in says nothing to a user.
    private static Exception CauseOf(Exception e) =>
        e is TypeInitializationException or TargetInvocationException or AggregateException && e.InnerException is { } inner ? CauseOf(inner) : e;

    private static int Explain(Exception e, ProgressWriter error)
    {
        if (e is OperationCanceledException)
        {
            error.WriteLine(e is InterruptedException ? Printable.Message(e.Message) : "interrupted: nothing was written.");
            return Interrupted;
        }

        var message = e switch
        {
            OnnxNasException or IOException or UnauthorizedAccessException => e.Message,
            OutOfMemoryException => "Memory ran out. Try a smaller --batch-size.",
            _ when StrategyCatalog.PluginOf(e) is { } plugin => $"The plugin '{plugin}' failed, not the tool: {e.GetType().Name}: {FirstLine(e.Message)} Run with --verbose for the stack, and mend the plugin.",
            ExternalException => $"libtorch failed: {FirstLine(e.Message)}. Run with --verbose for the stack.",
            _ => $"{e.GetType().Name}: {FirstLine(e.Message)} This is a fault of the tool: please report it with the output of --verbose.",
        };
        error.WriteLine($"error: {Printable.Message(message.ReplaceLineEndings(" "))}");
        return e is UsageException ? Usage : Failed;
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();
}
