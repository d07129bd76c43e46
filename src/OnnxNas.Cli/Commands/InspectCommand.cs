using System.CommandLine;
using OnnxNas.Cli.Reports;

namespace OnnxNas.Cli.Commands;

/// <summary><c>inspect MODEL</c>: choices, size of the space, costs, and what could stand in the way of a search.</summary>
internal sealed class InspectCommand : CliCommand
{
    public override int Order => 2;

    public override Command Build(CommandContext context)
    {
        var model = ModelArgument();
        var shape = new Option<string[]>("--shape") { Description = "Shape of an input for which costs are computed, such as x:1x3x224x224; repeat it for several inputs", DefaultValueFactory = _ => [] };
        var json = JsonOption();
        var command = new Command("inspect", "Show choices, space size, costs, and what stands in the way of a search") { model, shape, json };
        command.SetAction(parsed =>
        {
            using var reading = context.Interruption.EndAtOnce();
            var inspection = Inspection.Of(parsed.GetRequiredValue(model), parsed.GetRequiredValue(shape));
            if (parsed.GetValue(json))
                context.Output.WriteLine(JsonText.Of(inspection));
            else
                InspectionReport.Write(inspection, context.Output);
            return CommandLine.Done;
        });
        return command;
    }
}
