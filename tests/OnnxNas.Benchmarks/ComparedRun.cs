using System.Globalization;

namespace OnnxNas.Benchmarks;

/// <summary>A line of <see cref="Compare"/>: one search, or the mean over the seeds of a strategy.</summary>
/// <param name="Strategy">Its name.</param>
/// <param name="Seed">Its seed.</param>
/// <param name="Settings">The settings that are not the defaults.</param>
/// <param name="Better">The share of architectures that are better than the one returned.</param>
/// <param name="Regret">How far its mean test metric is below the best.</param>
/// <param name="Likeliest">The share of architectures that are better than the trainer's first guess, which finalists were ranked beside.</param>
/// <param name="Epochs">Epochs of the search.</param>
/// <param name="Seconds">Processor time of the search, which does not hang on what else the machine does.</param>
/// <param name="Probability">Mean probability of what was chosen; NaN where the strategy has none.</param>
/// <param name="Architecture">What the search returned.</param>
internal sealed record ComparedRun(string Strategy, string Seed, string Settings, double Better, double Regret, double Likeliest, double Epochs, double Seconds, double Probability, string Architecture)
{
    /// <summary>The first line of the file.</summary>
    public const string Header = "strategy,seed,settings,better,regret,likeliest,epochs,seconds,probability,architecture";

    /// <summary>Reads a line.</summary>
    public static ComparedRun Parse(string line)
    {
        var cells = line.Split(',');
        return new(cells[0], cells[1], cells[2], Number(3), Number(4), Number(5), Number(6), Number(7), Number(8), cells[9]);

        double Number(int i) => double.Parse(cells[i], CultureInfo.InvariantCulture);
    }

    /// <summary>The mean of one strategy's runs.</summary>
    public static ComparedRun Mean(IReadOnlyList<ComparedRun> runs) => new(
        runs[0].Strategy, "mean", runs[0].Settings, runs.Average(r => r.Better), runs.Average(r => r.Regret), runs.Average(r => r.Likeliest), runs.Average(r => r.Epochs), runs.Average(r => r.Seconds), runs.Average(r => r.Probability), "");

    /// <summary>The line of the file.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Strategy},{Seed},{Settings},{Better:0.0000},{Regret:0.00000},{Likeliest:0.0000},{Epochs:0},{Seconds:0.0},{Probability:0.0000},{Architecture}");
}
