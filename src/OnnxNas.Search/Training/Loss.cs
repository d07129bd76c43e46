using OnnxNas.Ir;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>A training loss: a mean over the samples of a batch.</summary>
public sealed record Loss
{
    /// <summary>Cross-entropy of classes.</summary>
    public const string CrossEntropy = "cross-entropy";

    /// <summary>Cross-entropy of two classes, on one logit.</summary>
    public const string Binary = "bce-with-logits";

    private static readonly Loss[] All = [new(CrossEntropy), new(Binary), new("mse"), new("mae")];

    private double smoothing;

    private Loss(string name) => Name = name;

    /// <summary>The names <see cref="Named"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(l => l.Name)];

    /// <summary>The name on the command line.</summary>
    public string Name { get; }

    /// <summary>Whether labels are classes.</summary>
    public bool IsClassification => Name == CrossEntropy;

    /// <summary>The axis of the output that classes lie along, for cross-entropy.</summary>
    public int ClassAxis { get; init; } = 1;

    /// <summary>Whether labels of classes are rows of probabilities of the output's shape, and not class numbers.</summary>
    public bool HasProbabilities { get; init; }

    /// <summary>The type that labels are read as.</summary>
    public ElementType LabelType => IsClassification && !HasProbabilities ? ElementType.Int64 : ElementType.Float32;

    /// <summary>The loss of that name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static Loss Named(string name) => Array.Find(All, l => l.Name == name)
        ?? throw new UsageException($"There is no loss '{name}'; use one of {string.Join(", ", Names)}.");

    /// <summary>
    /// The loss that weights are trained by: the mean of −log p under the targets (1 − ε)·t + ε/C of C classes, where t is the one-hot class or the label's probabilities
    /// (Szegedy et al. 2016, §7). This loss itself where ε is 0.
    /// </summary>
    /// <param name="smoothing">ε, at least 0 and less than 1.</param>
    /// <exception cref="DataException">There are no classes.</exception>
    public Loss Smoothed(double smoothing)
    {
        if (smoothing == 0)
            return this;
        if (!IsClassification)
            throw new DataException(FormattableString.Invariant($"--label-smoothing is {smoothing}, and the loss is {Name}; only cross-entropy has labels to smooth. Leave --label-smoothing out, or use --loss cross-entropy."));
        return this with { smoothing = smoothing };
    }

    /// <summary>
    /// The loss of a batch, a scalar. Cross-entropy takes logits <c>[N,C]</c> or <c>[N,C,D1..]</c>, the classes along <see cref="ClassAxis"/>, and int64 classes of the same shape without
    /// that axis, or <see cref="HasProbabilities">probabilities</see> of the same shape; the others take outputs and labels of one shape, but for extents of 1.
    /// </summary>
    /// <exception cref="DataException">The shapes do not fit.</exception>
    public Tensor Of(Tensor output, Tensor label)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(label);
        return Name switch
        {
            CrossEntropy => OfClasses(output, label),
            Binary => nn.functional.binary_cross_entropy_with_logits(output, Like(output, label)),
            "mse" => nn.functional.mse_loss(output, Like(output, label)),
            _ => nn.functional.l1_loss(output, Like(output, label)),
        };
    }

    private Tensor OfClasses(Tensor logits, Tensor label)
    {
        var (y, t) = (logits.shape, label.shape);
        long[] expected = HasProbabilities ? y : y.Length <= ClassAxis ? [] : [.. y[..ClassAxis], .. y[(ClassAxis + 1)..]];
        if (y.Length < 2 || y.Length <= ClassAxis || !t.AsSpan().SequenceEqual(expected))
            throw new DataException($"Cross-entropy takes logits [N,C] or [N,C,D1..] and classes [N] or [N,D1..], got [{string.Join(',', y)}] and [{string.Join(',', t)}]. Choose another --loss, or check the labels.");
        if (ClassAxis != 1)
            logits = logits.movedim([ClassAxis], [1]);
        if (HasProbabilities)
            label = (ClassAxis == 1 ? label : label.movedim([ClassAxis], [1])).to_type(logits.dtype);
        return nn.functional.cross_entropy(logits, label, label_smoothing: smoothing);
    }

    private static Tensor Like(Tensor output, Tensor label)
    {
        if (!Squeezed(label).SequenceEqual(Squeezed(output)) || label.shape[0] != output.shape[0])
            throw new DataException($"The model's output is [{string.Join(',', output.shape)}], the labels are [{string.Join(',', label.shape)}]; this loss needs labels of the output's shape.");
        return label.reshape(output.shape).to_type(output.dtype);
    }

    private static IEnumerable<long> Squeezed(Tensor tensor) => tensor.shape.Where(d => d != 1);
}
