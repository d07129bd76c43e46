using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>How samples are split.</summary>
public sealed record SplitOptions
{
    /// <summary>Selects who goes where.</summary>
    public long Seed { get; init; }

    /// <summary>The share set apart for the test, in [0, 1); 0 for none. Not used where test samples are given.</summary>
    public double TestFraction { get; init; } = 0.2;

    /// <summary>The share of the rest to validate with, in (0, 1). Not used where such samples are given.</summary>
    public double ValidFraction { get; init; } = 0.5;

    /// <summary>Whether labels are classes, each of which is split in proportion. For labels of one number per sample, or of one row of <see cref="Probabilities"/>.</summary>
    public bool Stratify { get; init; }

    /// <summary>Whether labels are rows of probabilities, whose class is that of the largest.</summary>
    public bool Probabilities { get; init; }
}

/// <summary>
/// Samples to train weights with, to validate (and search) with, and to test with. Disjoint, and a function of the data and
/// <see cref="SplitOptions"/> alone. <see cref="Test"/> is null where none was given or asked for.
/// </summary>
public sealed record DataSplit(Dataset Train, Dataset Valid, Dataset? Test)
{
    /// <summary>What the winner is trained on.</summary>
    public Dataset TrainAndValid => Train.Concat(Valid);

    /// <summary>Splits once: test first, then the rest into train and valid.</summary>
    /// <param name="data">The samples to split.</param>
    /// <param name="options">Seed and shares.</param>
    /// <param name="test">Test samples given apart.</param>
    /// <param name="valid">Validation samples given apart.</param>
    /// <exception cref="DataException">A share is out of range, or a part would be empty.</exception>
    public static DataSplit Create(Dataset data, SplitOptions options, Dataset? test = null, Dataset? valid = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        if (options.TestFraction is not (>= 0 and < 1))
            throw new DataException($"The test fraction is {options.TestFraction}; it must be at least 0 and less than 1.");
        if (options.ValidFraction is not (> 0 and < 1))
            throw new DataException($"The valid fraction is {options.ValidFraction}; it must be more than 0 and less than 1.");

        var order = new int[data.Count];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        new SeededRandom(options.Seed, RandomStreams.Split).Shuffle<int>(order);
        var classes = !options.Stratify ? null
            : options.Probabilities && data.LabelDims.Count(d => d != 1) == 1 ? Classes(data.WithLabels(rows => new LargestArray(rows, rows.SampleDims.ToList().FindIndex(d => d != 1), [])))
            : data.LabelDims.All(d => d == 1) ? Classes(data) : null;

        int[] train = order;
        if (test is null && options.TestFraction > 0)
        {
            (var part, train) = Take(order, options.TestFraction, classes);
            test = Require(data, part, "test", order.Length);
        }

        if (valid is null)
        {
            var rest = train.Length;
            (var part, train) = Take(train, options.ValidFraction, classes);
            valid = Require(data, part, "valid", rest);
        }

        return new(Require(data, train, "train", order.Length), valid, test);
    }

    private static Dataset Require(Dataset data, int[] part, string name, int available) => part.Length > 0
        ? data.Subset(part)
        : throw new DataException($"The {name} part of {available} samples would be empty; give more data or another fraction.");

    // Both parts stay in the order given, which is random.
    private static (int[] Part, int[] Others) Take(int[] order, double fraction, double[]? classes)
    {
        var quota = Quotas(order, fraction, classes);
        var part = new List<int>();
        var rest = new List<int>();
        foreach (var i in order)
        {
            var c = classes?[i] ?? 0;
            (quota[c]-- > 0 ? part : rest).Add(i);
        }

        return ([.. part], [.. rest]);
    }

    // Largest remainder: every class gets its share rounded down; what is missing goes to the largest fractions, lower classes first.
    private static Dictionary<double, int> Quotas(int[] order, double fraction, double[]? classes)
    {
        var shares = order.GroupBy(i => classes?[i] ?? 0).OrderBy(g => g.Key).Select(g => (Class: g.Key, Share: g.Count() * fraction)).ToArray();
        var quota = shares.ToDictionary(s => s.Class, s => (int)Math.Floor(s.Share));
        var missing = (int)Math.Round(order.Length * fraction, MidpointRounding.AwayFromZero) - quota.Values.Sum();
        foreach (var (c, _) in shares.OrderByDescending(s => s.Share - Math.Floor(s.Share)).Take(missing))
            quota[c]++;
        return quota;
    }

    private static double[] Classes(Dataset data)
    {
        int[] all = [.. Enumerable.Range(0, data.Count)];
        return data.Labels(all, ElementType.Float64).ToDoubles();
    }
}
