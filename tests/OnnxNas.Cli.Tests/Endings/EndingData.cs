using OnnxNas.Ir;

namespace OnnxNas.Cli.Tests.Endings;

/// <summary>Samples whose classes a linear model would tell apart, and the distribution over the classes that each label means.</summary>
internal sealed class EndingData
{
    private EndingData(TensorData x, TensorData label, double[][] targets) => (X, Label, Targets) = (x, label, targets);

    public TensorData X { get; }

    public TensorData Label { get; }

    /// <summary>A row for each position, sample by sample; for two classes the one number is the probability of class 1.</summary>
    public double[][] Targets { get; }

    public static EndingData Make(EndingCase row, int count, long seed)
    {
        var random = new SeededRandom(seed);
        var (classes, positions) = (EndingModel.Classes(row), row.Head == Head.Gemm ? 1 : EndingModel.Positions);
        var directions = Normal(new SeededRandom(99), EndingModel.Features * Math.Max(classes, 1));
        var points = Normal(random, count * positions * EndingModel.Features);
        var targets = Enumerable.Range(0, count * positions).Select(p => Target(row, random, Scores(points, p, directions, classes))).ToArray();
        // Features lie last in memory for tokens, and before the positions for images.
        var x = Arrange(row, points, count, positions, EndingModel.Features);
        return new(TensorData.Create<float>(Shape(row, count, EndingModel.Features), [.. x.Select(v => (float)v)]), LabelOf(row, targets, count, positions, classes), targets);
    }

    private static double[] Normal(SeededRandom random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextGaussian())];

    private static double[] Scores(double[] points, int position, double[] directions, int classes) =>
        [.. Enumerable.Range(0, classes).Select(c => Enumerable.Range(0, EndingModel.Features).Sum(f => points[position * EndingModel.Features + f] * directions[c * EndingModel.Features + f]))];

    private static double[] Target(EndingCase row, SeededRandom random, double[] scores)
    {
        if (row.IsBinary)
            return [scores[0] > 0 ? 1 : 0];
        var best = Array.IndexOf(scores, scores.Max());
        if (row.Labels != LabelLayout.Soft)
            return [.. scores.Select((_, c) => c == best ? 1.0 : 0)];
        // Exact in float32: 5/8 and more for the best, the rest shared out unevenly.
        var rest = Enumerable.Range(0, scores.Length).Where(c => c != best).ToArray();
        var target = new double[scores.Length];
        target[rest[random.NextInt(rest.Length)]] = 0.25;
        target[rest[random.NextInt(rest.Length)]] += 0.125;
        target[best] = 1 - target.Sum();
        return target;
    }

    private static TensorData LabelOf(EndingCase row, double[][] targets, int count, int positions, int classes)
    {
        var numbers = row.IsBinary ? targets.Select(t => t[0]).ToArray() : [.. targets.Select(t => (double)Array.IndexOf(t, t.Max()))];
        long[] flat = row.Head switch { Head.Gemm => [count], Head.Conv => [count, 2, positions / 2], _ => [count, positions] };
        long[] column = row.Head switch { Head.Gemm => [count, 1], Head.Conv => [count, 1, 2, positions / 2], _ => [count, positions, 1] };
        return row.Labels switch
        {
            LabelLayout.Indices => TensorData.Create<long>(flat, [.. numbers.Select(n => (long)n)]),
            LabelLayout.Column => TensorData.Create<int>(column, [.. numbers.Select(n => (int)n)]),
            LabelLayout.FloatIndices => TensorData.Create<float>(flat, [.. numbers.Select(n => (float)n)]),
            LabelLayout.Bool => TensorData.Create<bool>(flat, [.. numbers.Select(n => n == 1)]),
            _ => TensorData.Create<float>(Shape(row, count, classes), [.. Arrange(row, [.. targets.SelectMany(t => t)], count, positions, classes).Select(v => (float)v)]),
        };
    }

    private static long[] Shape(EndingCase row, int count, int channels) => row.Head switch
    {
        Head.Gemm => [count, channels],
        Head.Conv => [count, channels, 2, EndingModel.Positions / 2],
        _ => [count, EndingModel.Positions, channels],
    };

    private static double[] Arrange(EndingCase row, double[] values, int count, int positions, int channels) => row.Head != Head.Conv
        ? values
        : [.. from n in Enumerable.Range(0, count) from c in Enumerable.Range(0, channels) from p in Enumerable.Range(0, positions) select values[(n * positions + p) * channels + c]];
}
