using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OnnxNas.Fuzz.Parents;
using OnnxNas.Testing;

namespace OnnxNas.Fuzz.Running;

/// <summary>The program in a process of its own: reads numbers of mutants, runs them one after another, and says what it begins and how that ended.</summary>
internal static class Worker
{
    public const string Name = "worker";

    /// <summary>What lines of this protocol begin with; others come from libraries.</summary>
    public const string Mark = "@";

    /// <summary>A line that says that a command begins.</summary>
    public const string Begins = Mark + "begin ";

    /// <summary>A line that gives a verdict.</summary>
    public const string Ends = Mark + "end ";

    /// <summary>A line that says that all commands have ended, or that the process is ready.</summary>
    public const string Ready = Mark + "ready";

    private const int WarmUps = 12;

    /// <summary>Whether commands run as they do for users, with processes of their own for what may end one.</summary>
    public static Option<bool> Isolated { get; } = new("--isolated");

    public static Command Command()
    {
        var command = new Command(Name, "Runs mutants whose numbers come on standard input") { Isolated };
        command.Hidden = true;
        command.SetAction(parsed => Run(new MutantSource(parsed.GetValue(FuzzCommand.Seed), ParentModel.All(parsed.GetValue(FuzzCommand.Parents))), parsed.GetValue(Isolated)));
        return command;
    }

    private static void Run(MutantSource source, bool isIsolated)
    {
        using var folder = new TemporaryFolder();
        using var verbs = new Verbs(folder.Path, isIsolated);
        // The first runs compile code and load libraries, which is no growth by a mutant.
        foreach (var parent in OwnModels.All().Take(isIsolated ? 1 : WarmUps))
            _ = verbs.Run(new(0, parent, parent.Bytes, []), _ => { }).Count();
        Say(Ready);
        while (Console.In.ReadLine() is { Length: > 0 } line)
        {
            foreach (var verdict in verbs.Run(source.Make(long.Parse(line, CultureInfo.InvariantCulture)), verb => Say(Begins + verb)))
                Say(Ends + JsonSerializer.Serialize(verdict));
            Say(Ready);
        }
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }
}
