using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Objectives;

/// <summary>Fits labels to the scores of one output: which loss, which axis holds classes, what the labels are.</summary>
internal sealed class LabelFitting
{
    private readonly ModelEnd end;
    private readonly Shape shape;
    private readonly Dim[] dims;
    private readonly LabelFacts labels;
    private readonly SearchOptions options;
    private readonly IReadOnlyList<Dataset> parts;
    private readonly ClassAxisTrace trace;
    private readonly List<string> notes = [];

    // The axes of a sample that class numbers leave out.
    private readonly List<int> numbers;

    public LabelFitting(ModelEnd end, Shape shape, LabelFacts labels, SearchOptions options, IReadOnlyList<Dataset> parts, ClassAxisTrace trace)
    {
        (this.end, this.shape, this.labels, this.options, this.parts, this.trace) = (end, shape, labels, options, parts, trace);
        dims = [.. shape.Skip(1)];
        numbers = [.. Enumerable.Range(0, dims.Length).Where(a => dims[a].ValueOrNull != 1 && Extents.Align(Without(dims, a), labels.Dims) is not null)];
        var loss = options.Loss ?? Default();
        Result = loss switch
        {
            Loss.CrossEntropy => Classes(),
            _ when options.ClassAxis is not null => Refuse($"--class-axis is for cross-entropy, and the loss is {loss}. Leave --class-axis out, or use --loss cross-entropy."),
            Loss.Binary => Binary(),
            _ => Values(loss),
        };
    }

    /// <summary>How the labels fit; null where they do not.</summary>
    public Fitting? Result { get; }

    /// <summary>Why the labels do not fit.</summary>
    public string? Misfit { get; private set; }

    private string Output => $"output '{end.Scores.Name}'";

    private int? AskedAxis => options.ClassAxis < 0 ? options.ClassAxis + shape.Rank : options.ClassAxis;

    // Of one shape, but for extents of 1. An extent that is not known is rather one of classes than one of 1.
    private bool AreAlike => Extents.Align(dims, labels.Dims) is not null && !numbers.Any(a => !dims[a].IsKnown);

    private bool IsOfTwoClasses => end.Activation is { IsOfClasses: false } || end is { Form: OutputForm.Classes, ClassAxis: null };

    private string Default()
    {
        var areCounts = labels.Type.IsInteger() || labels.Type == ElementType.Bool;
        var rows = Rows();
        if (rows.Count > 0 && !(IsOfTwoClasses && AreAlike))
            return Loss.CrossEntropy;
        if (AreAlike && !end.IsOfClasses)
            return IsOfTwoClasses && labels.AreShares || labels.Type == ElementType.Bool || areCounts && labels.AreBits ? Loss.Binary : areCounts ? Loss.CrossEntropy : "mse";
        var fit = numbers.Count > 0 && labels.AreWhole && labels.Min >= 0 && numbers.Any(a => !(labels.Max >= dims[a].ValueOrNull));
        return areCounts || fit && !AreAlike ? Loss.CrossEntropy : "mse";
    }

    private Fitting? Classes()
    {
        if (end.Activation is { IsOfClasses: true, Axis: null } && end.ClassAxis is null)
            return Refuse($"{Upper(Output)} is made by {end.MadeBy}, and its classes lie along no single axis of {shape}: cross-entropy cannot train it. Use --loss mse, or end the model otherwise.");
        if (dims.All(d => d.ValueOrNull == 1))
        {
            return Refuse($"{Upper(Output)} is {shape}: the model's output has 1 classes, and cross-entropy needs two or more. "
                + (end.IsOfClasses ? $"Of one class {end.MadeBy ?? end.Decision} always answers the same: end the model in a Sigmoid." : labels.AreShares ? "Use --loss bce-with-logits, as the labels are in 0 … 1." : "Use --loss mse to predict numbers, or --loss bce-with-logits with labels of 0 and 1."));
        }

        var rows = Rows();
        if (rows.Count == 0 && numbers.Count == 0)
            return Refuse($"The labels are {labels.Text}, {Output} is {shape}: the labels do not fit. {HowClassesFit((AskedAxis ?? end.ClassAxis ?? trace.Of(end.Scores)?.Axis) - 1)}");
        if (AxisOf([.. rows.Count > 0 ? rows.Select(r => r.Class).Distinct() : numbers]) is not { } axis)
            return null;
        var loss = Loss.Named(Loss.CrossEntropy) with { ClassAxis = axis + 1 };
        var places = Without(dims, axis);
        if (rows.Count == 0)
            return ClassNumbers(loss, places, dims[axis].ValueOrNull ?? long.MaxValue);
        // Where both are possible classes that lie as in the output come first.
        var (row, _, isOneHot) = rows.Where(r => r.Class == axis).OrderByDescending(r => r.Row == Position(axis)).First();
        notes.Add($"labels: {(isOneHot ? "one-hot rows" : "rows of probabilities")} of {labels.Dims[row]} classes");
        return isOneHot
            ? Fits(loss, array => OneHot(array, row, places))
            : Fits(loss with { HasProbabilities = true }, array => Reshaped(array, Extents.Align(dims, [.. array.SampleDims])!));
    }

    private Fitting ClassNumbers(Loss loss, Dim[] places, long classes)
    {
        SampleArray View(SampleArray array) => Reshaped(array, Extents.Align(places, [.. array.SampleDims])!);
        if (labels.Type.IsFloatingPoint())
            notes.Add($"labels: class numbers, stored as {labels.Type}");
        else if (parts.Any(p => p.LabelDims.Count(d => d == 1) > places.Count(d => d.ValueOrNull == 1)))
            notes.Add($"labels: class numbers {labels.Text}, read without extents of 1");
        foreach (var part in parts)
            DatasetChecks.CheckClassLabels(part.WithLabels(View), classes);
        return Fits(loss, View);
    }

    private Fitting? Binary()
    {
        if (end.IsOfClasses)
            return Refuse($"{Upper(Output)} has classes that exclude each other, by {end.MadeBy ?? end.Decision}; bce-with-logits is for classes that stand alone. Use --loss cross-entropy.");
        if (!AreAlike)
            return RefuseShape();
        SampleArray View(SampleArray array) => Reshaped(array, Extents.Align(dims, [.. array.SampleDims])!);
        foreach (var part in parts)
            DatasetChecks.CheckBinaryTargets(part.WithLabels(View), dims);
        if (options.Loss is null)
            notes.Add($"labels: in 0 … 1, one for each number of {Output}, trained by bce-with-logits");
        return Fits(Loss.Named(Loss.Binary), View);
    }

    private Fitting? Values(string loss)
    {
        if (end.Form == OutputForm.Classes)
            return Refuse($"Output '{end.Output.Name}' holds class numbers, by {end.Decision}; {loss} is for numbers. Use --loss {(end.ClassAxis is null ? Loss.Binary : Loss.CrossEntropy)}.");
        if (!AreAlike)
            return RefuseShape();
        if (end.MadeBy is { } made)
            notes.Add($"{loss} on the output of {made} itself");
        else if (options.Loss is null && labels.AreBits)
            notes.Add("all labels are 0 or 1, and the loss is mse: for a model that tells two classes apart use --loss bce-with-logits");
        return Fits(Loss.Named(loss), array => Reshaped(array, Extents.Align(dims, [.. array.SampleDims])!));
    }

    private Fitting Fits(Loss loss, Func<SampleArray, SampleArray> view) => new(end, loss, view, notes);

    private int? AxisOf(int[] candidates)
    {
        var (asked, told) = (AskedAxis - 1, end.ClassAxis - 1);
        if (asked is { } wrong && (wrong < 0 || wrong >= dims.Length))
            return Axisless($"--class-axis is {options.ClassAxis}; {Output} is {shape}. Axes are counted from 0, and axis 0 is the samples. Choose one of the other axes.");
        if (asked is not null && told is not null && asked != told)
            return Axisless($"--class-axis is {options.ClassAxis}, but the classes of {Output} {shape} lie along axis {told + 1}, by {end.MadeBy ?? end.Decision}.");
        if ((asked ?? told) is { } given)
        {
            if (candidates.Contains(given))
                return given;
            return Axisless($"The labels are {labels.Text}, {Output} is {shape} with its classes along axis {given + 1}: the labels do not fit. {HowClassesFit(given)}");
        }

        if (candidates is [var only])
        {
            if (dims.Length > 1 && only > 0)
                notes.Add($"classes: axis {only + 1} of {Output} {shape}");
            return only;
        }

        if (trace.Of(end.Scores) is { } made && candidates.Contains(made.Axis - 1))
        {
            notes.Add($"classes: axis {made.Axis} of {Output} {shape}, which {made.Layer} makes");
            return made.Axis - 1;
        }

        return Axisless($"The labels {labels.Text} fit {Output} {shape} with classes along axis {string.Join(" or ", candidates.Select(a => a + 1))}. Choose one with --class-axis.");

        int? Axisless(string why)
        {
            Refuse(why);
            return null;
        }
    }

    // Rows along an axis of labels, for classes along an axis of a sample. Rows of one 1 become class numbers, so that they may lie along another axis.
    private List<(int Row, int Class, bool IsOneHot)> Rows()
    {
        int[] axes = [.. Enumerable.Range(0, dims.Length).Where(a => dims[a].ValueOrNull != 1)];
        if (axes.Length != labels.Dims.Count)
            return [];
        return
        [
            .. from row in labels.Rows
               from axis in axes
               where row.IsOneHot || Position(axis) == row.Axis
               where Extents.Fit([dims[axis], .. axes.Where(a => a != axis).Select(a => dims[a])], [labels.Dims[row.Axis], .. labels.Dims.Where((_, i) => i != row.Axis)])
               select (row.Axis, axis, row.IsOneHot),
        ];
    }

    // Where an axis of a sample stands among those that are not of 1.
    private int Position(int axis) => dims.Take(axis).Count(d => d.ValueOrNull != 1);

    private static LargestArray OneHot(SampleArray array, int row, Dim[] places)
    {
        long[] given = [.. array.SampleDims];
        var axis = given.Index().Where(d => d.Item != 1).ElementAt(row).Index;
        return new(array, axis, Extents.Align(places, [.. given.Where((_, i) => i != axis)])!);
    }

    private static SampleArray Reshaped(SampleArray array, long[] sampleDims) => array.SampleDims.SequenceEqual(sampleDims) ? array : new ReshapedArray(array, sampleDims);

    private static Dim[] Without(Dim[] dims, int axis) => [.. dims.Where((_, i) => i != axis)];

    // The axis of a sample that classes lie along, where it is known.
    private string HowClassesFit(int? axis)
    {
        if (axis is { } known && known >= 0 && known < dims.Length && Extents.Transposition(Without(dims, known), labels.Dims) is { } order)
            return $"Their axes are in another order: transpose to [{string.Join(',', order)}].";
        if (AreAlike)
            return "Rows of the output's shape must hold probabilities, which sum to 1. To predict numbers use --loss mse, and for several classes at once --loss bce-with-logits.";
        if (Extents.Transposition(dims, labels.Dims) is { } axes && labels.Rows.Count > 0)
            return $"Their axes are in another order: transpose to [{string.Join(',', axes)}].";
        var shapes = (axis is { } a ? [a] : Enumerable.Range(0, dims.Length).Reverse()).Select(c => $"[{string.Join(',', Without(dims, c).Prepend(shape[0]))}] for classes along axis {c + 1}");
        return $"Cross-entropy takes class numbers {string.Join(", or ", shapes)}; or one-hot rows or probabilities {shape}.";
    }

    private Fitting? RefuseShape()
    {
        try
        {
            foreach (var part in parts)
                DatasetChecks.CheckTargets(part, dims);
        }
        catch (DataException e)
        {
            return Refuse(numbers.Count > 0 && labels.AreWhole && labels.Min >= 0 ? $"{e.Message} If the labels are class numbers use --loss cross-entropy." : e.Message);
        }

        return Refuse($"The labels are {labels.Text}, {Output} is {shape}: the labels do not fit. If they are class numbers use --loss cross-entropy.");
    }

    private Fitting? Refuse(string why)
    {
        Misfit = why;
        return null;
    }

    private static string Upper(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
