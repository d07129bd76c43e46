using System.Runtime.InteropServices;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>What the numbers of labels say about their meaning. All parts of the data are looked at together.</summary>
internal sealed class LabelFacts
{
    // A row of probabilities that was written with three digits sums to 1 up to this.
    private const double Tolerance = 0.01;
    private readonly IReadOnlyList<SampleArray> arrays;
    private IReadOnlyList<(int Axis, bool IsOneHot)>? rows;

    /// <summary>Reads the labels once.</summary>
    /// <exception cref="DataException">A label is no number, or the parts differ in more than extents of 1.</exception>
    public LabelFacts(IEnumerable<Dataset> parts)
    {
        arrays = [.. parts.SelectMany(p => p.LabelArrays).Distinct()];
        Dims = Squeezed(arrays[0]);
        Type = arrays[0].Type;
        (Min, Max, AreWhole) = (double.PositiveInfinity, double.NegativeInfinity, true);
        foreach (var array in arrays)
        {
            if (!Squeezed(array).SequenceEqual(Dims))
                throw new DataException($"The {arrays[0].Description} is [{string.Join(',', arrays[0].Dims)}], the {array.Description} is [{string.Join(',', array.Dims)}]; labels of all parts must be alike.");
            DatasetChecks.RequireFinite(array);
            DatasetChecks.ForEach(array, (value, _) =>
            {
                Min = Math.Min(Min, value);
                Max = Math.Max(Max, value);
                AreWhole &= value == Math.Floor(value);
            });
        }
    }

    /// <summary>The extents of one label, without those of 1.</summary>
    public IReadOnlyList<long> Dims { get; }

    /// <summary>The extents of the labels as they are stored, samples first, as text.</summary>
    public string Text => $"[{string.Join(',', arrays[0].Dims)}]";

    /// <summary>The element type they are stored as.</summary>
    public ElementType Type { get; }

    /// <summary>The least number.</summary>
    public double Min { get; private set; }

    /// <summary>The largest number.</summary>
    public double Max { get; private set; }

    /// <summary>Whether all are whole numbers.</summary>
    public bool AreWhole { get; private set; }

    /// <summary>Whether all are 0 or 1.</summary>
    public bool AreBits => AreWhole && AreShares;

    /// <summary>Whether all are in 0 … 1.</summary>
    public bool AreShares => Min >= 0 && Max <= 1;

    /// <summary>The axes, of <see cref="Dims"/>, along which every row holds probabilities: none below 0, together 1; and whether one of them is 1 in each row.</summary>
    public IReadOnlyList<(int Axis, bool IsOneHot)> Rows => rows ??= AreShares ? FindRows() : [];

    private static long[] Squeezed(SampleArray array) => [.. array.SampleDims.Where(d => d != 1)];

    private List<(int Axis, bool IsOneHot)> FindRows()
    {
        var open = Enumerable.Range(0, Dims.Count).Select(a => (Axis: a, IsOneHot: true)).ToList();
        foreach (var array in arrays)
        {
            var bytes = new byte[array.SampleBytes];
            var numbers = new double[array.SampleBytes / (array.Type.BitWidth() / 8)];
            for (var sample = 0; sample < array.Count && open.Count > 0; sample++)
            {
                array.Read(sample * array.SampleBytes, bytes);
                ElementConversion.Convert(array.Type, bytes, ElementType.Float64, MemoryMarshal.AsBytes(numbers.AsSpan()));
                open = [.. from was in open
                           let kind = KindOf(numbers, was.Axis)
                           where kind is not null
                           select (was.Axis, was.IsOneHot && kind.Value)];
            }
        }

        return open;
    }

    // Whether all rows of a sample are one-hot; null where one does not sum to 1.
    private bool? KindOf(double[] numbers, int axis)
    {
        var (length, inner) = ((int)Dims[axis], (int)Dims.Skip(axis + 1).Aggregate(1L, (a, b) => a * b));
        var isOneHot = true;
        for (var row = 0; row < numbers.Length / length; row++)
        {
            var start = row / inner * length * inner + row % inner;
            var (sum, ones) = (0.0, 0);
            for (var c = 0; c < length; c++)
            {
                var number = numbers[start + c * inner];
                sum += number;
                ones += number == 1 ? 1 : 0;
            }

            if (Math.Abs(sum - 1) > Tolerance)
                return null;
            isOneHot &= ones == 1 && sum == 1;
        }

        return isOneHot;
    }
}
