using System.Diagnostics;
using System.Globalization;
using System.Text;
using OnnxNas.Ir;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Training;
using Spectre.Console;

namespace OnnxNas.Cli.Reports;

/// <summary>
/// Shows how training goes on: a live bar a phase on a terminal (loss, metric, time left), a line an epoch elsewhere. Keeps the history and the step times.
/// </summary>
internal sealed class SearchProgress(TextWriter error, string metric, SearchOptions options) : ITrainingProgress, ICheckpointed
{
    private const int LinesOfScoring = 10;
    private static readonly string[] Phases = ["search", "retrain"];
    private readonly List<EpochReport> epochs = [];
    private readonly List<double> searchSteps = [];
    private readonly Dictionary<string, double> seconds = [];
    private readonly bool isTerminal = error is ProgressWriter { IsTerminal: true };
    private ProgressTask? bar;
    private (string Phase, long Start)? running;

    /// <summary>Search steps so far.</summary>
    public int Steps => searchSteps.Count;

    /// <summary>The median time of a search step.</summary>
    public double MillisecondsPerStep
    {
        get
        {
            var sorted = searchSteps.Order().ToList();
            return sorted.Count == 0 ? 0 : (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
        }
    }

    /// <summary>How long a phase took; what was done before an interruption counts.</summary>
    public double Seconds(string phase) => seconds.GetValueOrDefault(phase) + (running is { } now && now.Phase == phase ? Stopwatch.GetElapsedTime(now.Start).TotalSeconds : 0);

    /// <summary>Runs a phase under its bar.</summary>
    public void Show(string phase, Action body) => Show(phase, () =>
    {
        body();
        return true;
    });

    /// <inheritdoc cref="Show(string, Action)"/>
    public T Show<T>(string phase, Func<T> body)
    {
        running = (phase, Stopwatch.GetTimestamp());
        var result = isTerminal ? ShowBar(phase, body) : body();
        seconds[phase] = Seconds(phase);
        running = null;
        return result;
    }

    private T ShowBar<T>(string phase, Func<T> body)
    {

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        return console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(live =>
            {
                bar = live.AddTask(phase);
                var result = body();
                bar = null;
                return result;
            });
    }

    public void Step(string phase, int step, int steps, double loss, double milliseconds)
    {
        if (phase == "search")
            searchSteps.Add(milliseconds);
        if (bar is null)
            return;
        bar.MaxValue = steps;
        bar.Value = step;
        var epoch = Math.Min(EpochsOf(phase), 1 + (step - 1) * EpochsOf(phase) / steps);
        var last = epochs.LastOrDefault(e => e.Phase == phase);
        bar.Description = Markup.Escape(FormattableString.Invariant($"{phase} {epoch}/{EpochsOf(phase)}  loss {loss:0.000}") + (last is null ? "" : FormattableString.Invariant($"  {metric} {last.Metric:0.000}")));
    }

    public void Epoch(EpochReport report)
    {
        epochs.Add(report);
        if (isTerminal)
            return;
        var valid = report.ValidLoss is { } loss ? FormattableString.Invariant($"  valid loss {loss:0.0000}") : "";
        error.WriteLine(FormattableString.Invariant($"{report.Phase} {report.Epoch}/{EpochsOf(report.Phase)}  train loss {report.TrainLoss:0.0000}{valid}  {metric} {report.Metric:0.0000}  lr {report.Lr:0.#####}  {report.Seconds:0.0} s"));
    }

    public void Scored(string phase, long scored, long most)
    {
        if (bar is not null)
            (bar.MaxValue, bar.Value, bar.Description) = (most, scored, Markup.Escape(FormattableString.Invariant($"{phase} {scored}/{most}")));
        else if (!isTerminal && (scored % Math.Max(1, most / LinesOfScoring) == 0 || scored == most))
            error.WriteLine(FormattableString.Invariant($"{phase} {scored}/{most} scored"));
    }

    public void Note(string text) => error.WriteLine(Printable.Message(text));

    /// <summary>The text of <c>history.csv</c>. The last column is the only one that depends on time.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder($"phase,epoch,train_loss,valid_loss,{metric},lr,seconds\n");
        foreach (var e in epochs)
            text.Append(CultureInfo.InvariantCulture, $"{e.Phase},{e.Epoch},{e.TrainLoss:R},{e.ValidLoss:R},{e.Metric:R},{e.Lr:R},{e.Seconds:0.000}\n");
        return text.ToString();
    }

    public void Save(CheckpointState state)
    {
        state.Put("step_milliseconds", [.. searchSteps]);
        foreach (var phase in Phases)
            state.Put($"{phase}_seconds", Seconds(phase));
        state.Put("epochs", epochs.Count);
        foreach (var (i, e) in epochs.Index())
        {
            var row = state.Section($"epoch_{i}");
            row.Put("phase", e.Phase);
            row.Put("epoch", e.Epoch);
            row.Put("numbers", [e.TrainLoss, e.ValidLoss ?? double.NaN, e.Metric, e.Lr, e.Seconds]);
        }
    }

    public void Restore(CheckpointState state)
    {
        searchSteps.AddRange(state.GetDoubles("step_milliseconds"));
        foreach (var phase in Phases)
            seconds[phase] = state.GetDouble($"{phase}_seconds");
        for (var i = 0; i < state.GetInt64("epochs"); i++)
        {
            var row = state.Section($"epoch_{i}");
            var numbers = row.GetDoubles("numbers");
            epochs.Add(new(row.GetString("phase"), (int)row.GetInt64("epoch"), numbers[0], double.IsNaN(numbers[1]) ? null : numbers[1], numbers[2], numbers[3], numbers[4]));
        }

        error.WriteLine(FormattableString.Invariant($"resumed: {Done("search")} epochs of the search and {Done("retrain")} of the retraining are done"));

        string Done(string phase) => FormattableString.Invariant($"{epochs.Count(e => e.Phase == phase)}/{EpochsOf(phase)}");
    }

    private int EpochsOf(string phase) =>
        phase == "search" ? options.Epochs : phase.StartsWith("finalist", StringComparison.Ordinal) ? options.FinalistEpochs : options.EffectiveRetrainEpochs();
}
