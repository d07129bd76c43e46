using System.CommandLine;
using OnnxNas.Cli.Reports;
using OnnxNas.Ir;

namespace OnnxNas.Cli;

/// <summary>Where a command writes, and what tells it to stop.</summary>
internal sealed record CommandContext(TextWriter Output, TextWriter Error, Interruption Interruption)
{
    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Cancellation => Interruption.Token;

    /// <summary>Says what reading a model's file changed about it.</summary>
    public void Note(Model model)
    {
        foreach (var finding in model.Findings)
            Error.WriteLine(Printable.Message($"note: '{model.Path}': {InspectionReport.Subjects(finding.Subjects)}: {finding.Message}"));
    }
}

/// <summary>One verb of the command line; found by reflection, so that a new one is one new file.</summary>
internal abstract class CliCommand
{
    /// <summary>The place in the help.</summary>
    public abstract int Order { get; }

    /// <summary>The verb with its arguments, options and action.</summary>
    public abstract Command Build(CommandContext context);

    /// <summary>All verbs in order.</summary>
    public static IEnumerable<CliCommand> All() =>
        from type in typeof(CliCommand).Assembly.GetTypes()
        where type.IsSubclassOf(typeof(CliCommand))
        let command = (CliCommand)Activator.CreateInstance(type)!
        orderby command.Order
        select command;

    protected static Argument<string> ModelArgument() => new("MODEL") { Description = "An ONNX file" };

    protected static Option<string> OutputOption(string description, string name = "--output") => new(name, "-o") { Description = description };

    protected static Option<bool> JsonOption() => new("--json") { Description = "Print one JSON object on standard output" };

    protected static Option<string> MemoryOption() => new("--memory") { Description = "Most memory that the tensors of a run may take, such as 512M or 2G [default: in proportion to the model's weights, and no more than is free]" };

    protected static Option<bool> ForceOption() => new("--force") { Description = "Replace what is there already" };
}
