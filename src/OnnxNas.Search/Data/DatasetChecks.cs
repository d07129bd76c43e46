using System.Globalization;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>Whether data fit a model, before anything is trained. Arrays are read once, a piece at a time.</summary>
public static class DatasetChecks
{
    private const int Piece = 1 << 16;

    /// <summary>Each of the graph's inputs has samples of its shape, of a type that converts to its own, and all finite.</summary>
    /// <exception cref="DataException">The first that has not.</exception>
    public static void CheckInputs(Dataset data, Graph graph)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(graph);
        foreach (var input in graph.Inputs.Where(v => v.Initializer is null))
        {
            if (!data.InputNames.Contains(input.Name))
                throw new DataException($"There is no data for input '{input.Name}'; there is for {Printable.List(data.InputNames)}.");
        }

        foreach (var (name, array) in data.InputArrays)
        {
            var input = graph.Inputs.FirstOrDefault(v => v.Name == name)
                ?? throw new DataException($"The model has no input '{name}'; its inputs are {Printable.List(graph.Inputs.Select(v => v.Name))}.");
            if (!ElementConversion.IsUsual(array.Type, input.Element))
                throw new DataException($"Input '{name}' takes {input.Element}, the {array.Description} holds {array.Type}; convert the array.");
            if (input.Shape is { } shape && !Fits(shape, array))
                throw new DataException($"Input '{name}' takes {shape}, the {array.Description} is [{string.Join(',', array.Dims)}]: the samples do not fit. {HowToFit([.. shape.Skip(1)], [.. array.SampleDims])}");
            RequireFinite(array);
        }
    }

    /// <summary>Labels are class indices: whole numbers in 0 … <paramref name="classes"/> − 1, one per sample or one per position.</summary>
    /// <exception cref="DataException">The first that is not.</exception>
    public static void CheckClassLabels(Dataset data, long classes)
    {
        ArgumentNullException.ThrowIfNull(data);
        foreach (var array in data.LabelArrays)
        {
            RequireFinite(array);
            ForEach(array, (value, index) =>
            {
                if (value == Math.Floor(value) && value >= 0 && value < classes)
                    return;
                var label = $"Label {value.ToString("R", CultureInfo.InvariantCulture)} at {Positions.Text(index, array.Dims)} of the {array.Description}";
                throw new DataException(value != Math.Floor(value)
                    ? $"{label} is no class index, which is a whole number; to predict numbers use --loss mse."
                    : $"{label} is not in 0 … {classes - 1}: the model's output has {classes} classes. {HowToCount(value, classes)}");
            });
        }
    }

    /// <summary>What to do about an array whose samples have other extents than a model's value.</summary>
    /// <param name="wanted">The extents of the value, without the batch.</param>
    /// <param name="given">Those of one sample.</param>
    internal static string HowToFit(IReadOnlyList<Dim> wanted, IReadOnlyList<long> given)
    {
        if (Extents.Transposition(wanted, given) is { } axes)
            return $"Its axes are in another order: transpose to [{string.Join(',', axes)}].";
        var text = $"[{string.Join(',', wanted.Prepend(Dim.Symbol("N")))}]";
        return Extents.Align(wanted, given) is not null ? $"Only extents of 1 differ: reshape it to {text}."
            : wanted.Count != given.Count && wanted.All(d => d.IsKnown) && wanted.Aggregate(1L, (a, d) => a * d.Value) == given.Aggregate(1L, (a, b) => a * b)
                ? $"It has as many numbers in another shape: give it the shape {text}, with its axes in that order."
                : $"Give an array of the shape {text}, samples first.";
    }

    /// <summary>
    /// Labels are target values: finite, and of the output's shape, but for extents of 1. <paramref name="outputDims"/> are the output's extents
    /// without the batch; unknown ones fit everything.
    /// </summary>
    /// <exception cref="DataException">The first that is not.</exception>
    public static void CheckTargets(Dataset data, IReadOnlyList<Dim> outputDims)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(outputDims);
        foreach (var array in data.LabelArrays)
        {
            RequireFinite(array);
            long[] dims = [.. array.SampleDims];
            if (Extents.Align(outputDims, dims) is not null)
                continue;
            var size = dims.Aggregate(1L, (a, b) => a * b);
            throw new DataException(outputDims.All(d => d.IsKnown) && outputDims.Aggregate(1L, (a, d) => a * d.Value) is var expected && expected != size
                ? $"The {array.Description} holds {size} numbers per sample, the model's output [{string.Join(',', outputDims)}] has {expected}."
                : $"The {array.Description} is [{string.Join(',', array.Dims)}], the model's output is [{string.Join(',', outputDims.Prepend(Dim.Symbol("N")))}]: the labels do not fit. {HowToFit(outputDims, dims)}");
        }
    }

    /// <summary>Labels are targets of a two-class loss on logits: <see cref="CheckTargets"/>, and all in 0 … 1.</summary>
    /// <exception cref="DataException">The first that is not.</exception>
    public static void CheckBinaryTargets(Dataset data, IReadOnlyList<Dim> outputDims)
    {
        CheckTargets(data, outputDims);
        foreach (var array in data.LabelArrays)
        {
            ForEach(array, (value, index) =>
            {
                if (value is < 0 or > 1)
                    throw new DataException($"Label {value.ToString("R", CultureInfo.InvariantCulture)} at {Positions.Text(index, array.Dims)} of the {array.Description} is not in 0 … 1, as --loss bce-with-logits needs.");
            });
        }
    }

    private static bool Fits(Shape shape, SampleArray array) => shape.Rank == array.Dims.Count && Extents.Fit([.. shape.Skip(1)], [.. array.SampleDims]);

    private static string HowToCount(double value, long classes) => value < 0 ? "A label below 0 often marks what is to be ignored, which is not supported: leave such samples out."
        : value == 255 ? "255 often marks what is to be ignored, which is not supported: leave such samples out, or give them a class."
        : value == classes ? "Classes are counted from 0: subtract 1 if yours are counted from 1."
        : "Check the labels, or use a model with more classes.";

    internal static void RequireFinite(SampleArray array)
    {
        if (NonFinite.Find(array) is >= 0 and var at)
            throw new DataException($"The {array.Description} holds NaN or infinity at {Positions.Text(at, array.Dims)}; clean the data.");
    }

    internal static void ForEach(SampleArray array, Action<double, long> visit)
    {
        var width = array.Type.BitWidth() / 8;
        var (bytes, doubles, total) = (new byte[Piece * width], new double[Piece], array.Count * array.SampleBytes / width);
        for (long start = 0; start < total; start += Piece)
        {
            var count = (int)Math.Min(Piece, total - start);
            array.Read(start * width, bytes.AsSpan(0, count * width));
            ElementConversion.Convert(array.Type, bytes.AsSpan(0, count * width), ElementType.Float64, System.Runtime.InteropServices.MemoryMarshal.AsBytes(doubles.AsSpan(0, count)));
            for (var i = 0; i < count; i++)
                visit(doubles[i], start + i);
        }
    }
}
