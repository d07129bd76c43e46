using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxNas.Cli;
using OnnxNas.Cli.Commands;
using OnnxNas.Cli.Verification;
using OnnxNas.Ir;

namespace OnnxNas.Fuzz.Running;

/// <summary>Runs the commands on a mutant in this process, and judges how each ended.</summary>
internal sealed class Verbs : IDisposable
{
    public const string Inspect = "inspect";
    public const string Stamp = "stamp";
    public const string Prune = "prune";
    public const string Verify = "verify";
    private const string FaultOfTheTool = "This is a fault of the tool";

    // The table is printed for some; the others are read as JSON, for their choices.
    private const int TableEvery = 8;

    private readonly string folder;
    private readonly bool isIsolated;
    private readonly List<Exception> thrown = [];

    /// <summary>Runs commands on files in a folder.</summary>
    /// <param name="folder">Where the files go.</param>
    /// <param name="isIsolated">
    /// Whether commands do in a process of their own what may end one, as they do for users; otherwise they do it here, which is faster.
    /// </param>
    public Verbs(string folder, bool isIsolated)
    {
        (this.folder, this.isIsolated) = (folder, isIsolated);
        WorkerCommand.Program = isIsolated ? WorkerCommand.Own : null;
        AppDomain.CurrentDomain.FirstChanceException += Remember;
    }

    public static IReadOnlyList<string> All { get; } = [Inspect, Stamp, Prune, Verify];

    private string Model => Path.Combine(folder, "model.onnx");

    private string Written => Path.Combine(folder, "out.onnx");

    public void Dispose()
    {
        AppDomain.CurrentDomain.FirstChanceException -= Remember;
        WorkerCommand.Program = WorkerCommand.Own;
    }

    /// <summary>The verdicts, each after <paramref name="begin"/> was told its verb.</summary>
    public IEnumerable<Verdict> Run(Mutant mutant, Action<string> begin)
    {
        foreach (var (name, bytes) in mutant.Parent.Files)
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
        File.WriteAllBytes(Model, mutant.Bytes);
        var facts = "";
        begin(Inspect);
        yield return Measured(Inspect, mutant, () => Command([Inspect, Model, "--json"], out facts));
        if (mutant.Number % TableEvery == 0)
        {
            begin(Inspect);
            yield return Measured(Inspect, mutant, () => Command([Inspect, Model], out _));
        }

        begin(Stamp);
        yield return Measured(Stamp, mutant, () => Command([Stamp, Model, "-o", Written, "--force"], out _));
        var architecture = Path.Combine(folder, "arch.json");
        File.WriteAllText(architecture, ArchitectureOf(facts, mutant));
        begin(Prune);
        yield return Measured(Prune, mutant, () => Command([Prune, Model, "--arch", architecture, "-o", Written, "--force"], out _));
        begin(Verify);
        yield return Measured(Verify, mutant, () => isIsolated ? IsolatedVerification() : Verification());
    }

    private static Verdict Measured(string verb, Mutant mutant, Func<(Outcome Outcome, string Message, string Place)> run)
    {
        ResidentMemory.Reset();
        var before = ResidentMemory.Now();
        var start = Stopwatch.GetTimestamp();
        var (outcome, message, place) = run();
        var time = Stopwatch.GetElapsedTime(start);
        var growth = Math.Max(0, ResidentMemory.Peak() - before);
        if (growth > Limits.Growth(mutant.Bytes.Length))
            outcome = Outcome.Memory;
        return new(verb, outcome, time.TotalMilliseconds, growth, message, place);
    }

    // The stack that --verbose prints tells the type of the exception.
    private static (Outcome Outcome, string Message, string Place) Command(string[] arguments, out string printed)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = CommandLine.Run([.. arguments, "--verbose"], output, error);
        printed = output.ToString();
        var text = error.ToString();
        if (code == CommandLine.Done)
            return (Outcome.Ok, "", "");
        var at = text.LastIndexOf("error: ", StringComparison.Ordinal);
        var (message, place) = (at < 0 ? text : text[at..].TrimEnd(), PlaceIn(text));
        var outcome = message.Contains("differs from the supernet's", StringComparison.Ordinal) ? Outcome.Differs
            : message.Contains(FaultOfTheTool, StringComparison.Ordinal) || at < 0 || code == CommandLine.Usage ? Outcome.Fault
            : message.Contains("Memory ran out", StringComparison.Ordinal) ? Outcome.Memory
            : message.Contains("ONNX Runtime crashed", StringComparison.Ordinal) ? Outcome.Reported
            : text.Contains(typeof(UnsupportedOperatorException).FullName + ":", StringComparison.Ordinal) ? Outcome.Unsupported
            : Outcome.Refused;
        return (outcome, message, place);
    }

    private (Outcome Outcome, string Message, string Place) IsolatedVerification()
    {
        var outcome = Command([Verify, Model, "--json"], out var printed);
        if (JsonNode.Parse(printed) is not { } json)
            return outcome;
        var row = json["results"]![0]!;
        return Judged(new(Model, (string)row["status"]!, null, (string)row["message"]!));
    }

    private (Outcome Outcome, string Message, string Place) Verification()
    {
        lock (thrown)
            thrown.Clear();
        return Judged(Verifier.Verify(Model));
    }

    // verify gives a row whatever happens: an exception that nobody foresaw is one too, and its row begins with its type.
    private (Outcome Outcome, string Message, string Place) Judged(VerificationResult result)
    {
        switch (result.Status)
        {
            case VerificationResult.Pass:
                return (Outcome.Ok, "", "");
            case VerificationResult.Fail:
                return (Outcome.Differs, result.Message, "");
            case VerificationResult.UnsupportedStatus:
                return (Outcome.Unsupported, result.Message, "");
            case VerificationResult.Crash:
                return (Outcome.Reported, result.Message, "");
        }

        lock (thrown)
        {
            return thrown.LastOrDefault(e => result.Message.StartsWith($"{e.GetType().Name}: {e.Message.Split('\n')[0].Trim()}", StringComparison.Ordinal)) is { } cause
                ? (Outcome.Fault, result.Message, PlaceIn(cause.ToString()))
                : (Outcome.Refused, result.Message, "");
        }
    }

    private void Remember(object? sender, FirstChanceExceptionEventArgs e)
    {
        lock (thrown)
            thrown.Add(e.Exception);
    }

    // "   at OnnxNas.Ir.Graph.Find(String name) in …" → "OnnxNas.Ir.Graph.Find"
    private static string PlaceIn(string stack)
    {
        const string At = "   at ";
        var own = stack.Split('\n').FirstOrDefault(line => line.StartsWith(At + "OnnxNas.", StringComparison.Ordinal)) ?? "";
        var end = own.IndexOf('(', StringComparison.Ordinal);
        return end < 0 ? "" : own[At.Length..end];
    }

    private static string ArchitectureOf(string facts, Mutant mutant)
    {
        var architecture = new JsonObject();
        if (facts.Length == 0)
            return "{}";
        var random = new SeededRandom(mutant.Number);
        foreach (var choice in JsonNode.Parse(facts)!["choices"]!.AsArray().OfType<JsonObject>())
        {
            var candidates = choice["candidates"]!.AsArray().Select(c => (string)c!).ToList();
            architecture[(string)choice["label"]!] = (string)choice["kind"]! == "LayerChoice"
                ? candidates[random.NextInt(candidates.Count)]
                : new JsonArray([.. candidates.Take(Math.Max(1, (int)choice["n_chosen"]!)).Select(c => (JsonNode)c)]);
        }

        return architecture.ToJsonString(new JsonSerializerOptions());
    }
}
