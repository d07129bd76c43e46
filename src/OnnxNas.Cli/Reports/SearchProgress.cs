using System.Globalization;
using System.Text;
using OnnxNas.Search.Training;
using Spectre.Console;

namespace OnnxNas.Cli.Reports;

/// <summary>
/// Shows how training goes on: a live bar a phase on a terminal (loss, metric, time left), a line an epoch elsewhere. Keeps the history and the step times.
/// </summary>
internal sealed class SearchProgress(TextWriter error, string metric, int searchEpochs, int retrainEpochs) : ITrainingProgress
{
    private readonly List<EpochReport> epochs = [];
    private readonly List<double> searchSteps = [];
    private readonly bool isTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
    private ProgressTask? bar;

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

    /// <summary>Runs a phase under its bar.</summary>
    public void Show(string phase, Action body)
    {
        if (!isTerminal)
        {
            body();
            return;
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(error) });
        console.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(live =>
            {
                bar = live.AddTask(phase);
                body();
                bar = null;
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

    /// <summary>The text of <c>history.csv</c>. The last column is the only one that depends on time.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder($"phase,epoch,train_loss,valid_loss,{metric},lr,seconds\n");
        foreach (var e in epochs)
            text.Append(CultureInfo.InvariantCulture, $"{e.Phase},{e.Epoch},{e.TrainLoss:R},{e.ValidLoss:R},{e.Metric:R},{e.Lr:R},{e.Seconds:0.000}\n");
        return text.ToString();
    }

    private int EpochsOf(string phase) => phase == "search" ? searchEpochs : retrainEpochs;
}
