using System.CommandLine;
using System.Globalization;
using OnnxNas.Cli.Reports;
using OnnxNas.Cli.Verification;

namespace OnnxNas.Cli.Commands;

/// <summary><c>verify PATH…</c>: runs models and ONNX test cases in TorchSharp and compares with given outputs, or with ONNX Runtime.</summary>
internal sealed class VerifyCommand : CliCommand
{
    public override int Order => 4;

    public override Command Build(CommandContext context)
    {
        var paths = new Argument<string[]>("PATH") { Description = "Models, or ONNX test case folders", Arity = ArgumentArity.OneOrMore };
        var (memory, json) = (MemoryOption(), JsonOption());
        var command = new Command("verify", "Run models and ONNX test cases in TorchSharp and compare") { paths, memory, json };
        command.SetAction(parsed =>
        {
            var most = MemorySize.Parse(parsed.GetValue(memory));
            using var running = context.Interruption.EndAtOnce();
            var results = new List<VerificationResult>();
            using var verifier = new IsolatedVerifier(context.Error);
            foreach (var path in parsed.GetRequiredValue(paths))
            {
                results.Add(verifier.Verify(path, most));
            }

            var summary = new VerificationSummary(results);
            if (parsed.GetValue(json))
                context.Output.WriteLine(JsonText.Of(summary));
            else
                Write(summary, context.Output);
            return summary.Failed + summary.Errors + summary.Crashed == 0 ? CommandLine.Done : CommandLine.Failed;
        });
        return command;
    }

    private static void Write(VerificationSummary summary, TextWriter output)
    {
        Tables.Write(output, ["path", "status", "max |a-b|", "message"], summary.Results.Select(r => new[]
        {
            r.Path, r.Status, r.MaxAbsDiff?.ToString("0.0e0", CultureInfo.InvariantCulture) ?? "", r.Message,
        }));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{summary.Passed} passed, {summary.Failed} failed, {summary.Unsupported} unsupported, {summary.Errors} errors, {summary.Crashed} crashed"));
    }
}
