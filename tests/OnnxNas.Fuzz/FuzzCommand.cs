using System.CommandLine;
using System.Globalization;
using OnnxNas.Fuzz.Parents;
using OnnxNas.Fuzz.Running;

namespace OnnxNas.Fuzz;

/// <summary>What the program is asked on its command line.</summary>
internal static class FuzzCommand
{
    private const int FoundSomething = 1;

    public static Option<long> Seed { get; } = new("--seed") { Description = "Seed of all mutants", DefaultValueFactory = _ => 1, Recursive = true };

    public static Option<long> Count { get; } = new("--count") { Description = "How many mutants", DefaultValueFactory = _ => 1000 };

    public static Option<long?> Only { get; } = new("--only") { Description = "Make this one mutant, run it and keep its file" };

    public static Option<string?> Parents { get; } = new("--parents") { Description = "A folder: mutants come of the .onnx files in it, instead of the models built in", Recursive = true };

    public static Option<string> Output { get; } = new("--output", "-o") { Description = "Where the files of findings go", DefaultValueFactory = _ => "artifacts/fuzz", Recursive = true };

    public static RootCommand With(this RootCommand command, Func<ParseResult, int> run)
    {
        command.SetAction(run);
        return command;
    }

    public static int Run(ParseResult parsed)
    {
        var (seed, folder) = (parsed.GetValue(Seed), parsed.GetValue(Parents));
        var source = new MutantSource(seed, ParentModel.All(folder));
        var log = new FindingLog(source, parsed.GetRequiredValue(Output), folder);
        var start = parsed.GetValue(Only) ?? 0;
        var end = parsed.GetValue(Only) is { } only ? only + 1 : parsed.GetValue(Count);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}, mutants {start} to {end - 1}, of {source.ParentCount} models"));
        if (parsed.GetValue(Only) is { } number)
            log.Keep(source.Make(number));
        new Campaign(seed, folder, log).Run(start, end);
        log.Print(Console.Out, isDetailed: parsed.GetValue(Only) is not null);
        return log.HasFindings ? FoundSomething : 0;
    }
}
