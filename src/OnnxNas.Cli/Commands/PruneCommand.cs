using System.CommandLine;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;

namespace OnnxNas.Cli.Commands;

/// <summary><c>prune MODEL --arch arch.json -o OUT.onnx</c>: the plain model of one architecture.</summary>
internal sealed class PruneCommand : CliCommand
{
    public override int Order => 3;

    public override Command Build(CommandContext context)
    {
        var model = ModelArgument();
        var arch = new Option<string>("--arch") { Description = "An architecture file: {\"label\": \"candidate\", \"inputlabel\": [\"0\", \"2\"]}", Required = true };
        var output = OutputOption("Where the plain model goes");
        output.Required = true;
        var (force, memory) = (ForceOption(), MemoryOption());
        var command = new Command("prune", "Cut the plain model of one architecture out of a marked model") { model, arch, output, memory, force };
        command.SetAction(parsed =>
        {
            var path = parsed.GetRequiredValue(output);
            OutputFile.RequireFree(path, parsed.GetValue(force));
            var most = MemorySize.Parse(parsed.GetValue(memory));
            var preparing = context.Interruption.EndAtOnce();
            var marked = MarkedModel.Read(parsed.GetRequiredValue(model));
            context.Note(marked.Model);
            var architecture = Architecture.Parse(marked.Space, ReadText(parsed.GetRequiredValue(arch)));
            var winner = Pruner.Prune(marked.Model, architecture);
            Pruner.Finish(winner);
            ParityGate.Require(marked, architecture, OnnxSession.MessageOf(winner), RunLimits.ForModel(marked.Model, most));
            preparing.Dispose();
            OutputFile.Write(winner, path, parsed.GetValue(force));
            return CommandLine.Done;
        });
        return command;
    }

    private static string ReadText(string path)
    {
        try
        {
            return InputFile.ReadText(path, InputFile.LargestJson);
        }
        catch (IOException e)
        {
            throw new ChoiceException($"The architecture file '{path}' cannot be read: {e.Message}", e);
        }
    }
}
