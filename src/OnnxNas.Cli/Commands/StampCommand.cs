using System.CommandLine;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Choices;

namespace OnnxNas.Cli.Commands;

/// <summary><c>stamp MODEL -o OUT.onnx</c>: adds the marker functions, so that the model runs unsearched.</summary>
internal sealed class StampCommand : CliCommand
{
    public override int Order => 5;

    public override Command Build(CommandContext context)
    {
        var model = ModelArgument();
        var output = OutputOption("Where the stamped model goes");
        output.Required = true;
        var force = ForceOption();
        var command = new Command("stamp", "Add marker functions, so that a marked model runs in ONNX Runtime unsearched") { model, output, force };
        command.SetAction(parsed =>
        {
            Model marked;
            using (context.Interruption.EndAtOnce())
            {
                marked = OnnxFile.Read(parsed.GetRequiredValue(model));
                context.Note(marked);
                MarkerFunctions.Stamp(marked);
            }

            OutputFile.Write(marked, parsed.GetRequiredValue(output), parsed.GetValue(force));
            return CommandLine.Done;
        });
        return command;
    }
}
