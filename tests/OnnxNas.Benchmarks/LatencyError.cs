using System.CommandLine;
using System.Globalization;
using OnnxNas.Cli;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;

namespace OnnxNas.Benchmarks;

/// <summary>
/// <c>latency MODEL</c>: how well is latency predicted? Measures the model's regions, then random architectures as a whole, none of them among those that the prediction was fitted to.
/// </summary>
internal static class LatencyError
{
    // Selects the stream of random numbers that architectures are drawn from.
    private const int Stream = 101;

    public static Command Command()
    {
        var model = new Argument<string>("MODEL") { Description = "A marked model" };
        var count = new Option<int>("--count") { Description = "How many random architectures", DefaultValueFactory = _ => 20 };
        var threads = new Option<int>("--threads") { Description = "Threads of ONNX Runtime", DefaultValueFactory = _ => 1 };
        var seed = new Option<int>("--seed") { Description = "Seed of what is drawn" };
        var command = new Command("latency", "Compare predicted with measured latency") { model, count, threads, seed };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(model), parsed.GetValue(count), parsed.GetValue(threads), parsed.GetValue(seed), Console.Out));
        return command;
    }

    public static void Run(string path, int count, int threads, int seed, TextWriter output)
    {
        var space = MarkedModel.Read(path).Space;
        var table = LatencyTable.Measure(space, new OnnxTimer(new ModelTimer(threads, cache: null)));
        Print($"{path}, {threads} threads: {table.Regions} regions, {table.DistinctRegions} different; predicted = {table.Base:0.0000} ms + {table.Slope:0.000} * their sum");
        Print($"{"predicted ms",12} {"measured ms",12} {"error",8}  architecture");
        var checks = new List<LatencyCheck>();
        for (var i = 0; i < count; i++)
        {
            var check = table.Check(Architecture.Random(space, new SeededRandom(seed, Stream, i)));
            checks.Add(check);
            Print($"{check.Predicted,12:0.0000} {check.Measured,12:0.0000} {check.Error,8:0.0%}  {check.Architecture}");
        }

        var errors = checks.Select(c => c.Error).Order().ToList();
        Print($"error over {count} architectures: median {(errors[(count - 1) / 2] + errors[count / 2]) / 2:0.0%}, largest {errors[^1]:0.0%}");

        void Print(FormattableString line) => output.WriteLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
