using OnnxNas.Ir;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>A training loss: a mean over the samples of a batch.</summary>
public sealed class Loss
{
    private static readonly Loss[] All =
    [
        new("cross-entropy", true, (y, t) => CrossEntropy(y, t, 0)),
        new("bce-with-logits", false, (y, t) => nn.functional.binary_cross_entropy_with_logits(y, Like(y, t))),
        new("mse", false, (y, t) => nn.functional.mse_loss(y, Like(y, t))),
        new("mae", false, (y, t) => nn.functional.l1_loss(y, Like(y, t))),
    ];

    private readonly Func<Tensor, Tensor, Tensor> compute;

    private Loss(string name, bool isClassification, Func<Tensor, Tensor, Tensor> compute)
    {
        Name = name;
        IsClassification = isClassification;
        this.compute = compute;
    }

    /// <summary>The names <see cref="Named"/> takes.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(l => l.Name)];

    /// <summary>The name on the command line.</summary>
    public string Name { get; }

    /// <summary>Whether labels are class indices.</summary>
    public bool IsClassification { get; }

    /// <summary>The loss of that name.</summary>
    /// <exception cref="UsageException">There is none.</exception>
    public static Loss Named(string name) => Array.Find(All, l => l.Name == name)
        ?? throw new UsageException($"There is no loss '{name}'; use one of {string.Join(", ", Names)}.");

    /// <summary>
    /// The loss that weights are trained by: the mean of −log p under the targets (1 − ε)·onehot + ε/C of C classes (Szegedy et al. 2016, §7). This loss itself where ε is 0.
    /// </summary>
    /// <param name="smoothing">ε, at least 0 and less than 1.</param>
    /// <exception cref="DataException">There are no classes.</exception>
    public Loss Smoothed(double smoothing)
    {
        if (smoothing == 0)
            return this;
        if (!IsClassification)
            throw new DataException(FormattableString.Invariant($"--label-smoothing is {smoothing}, and the loss is {Name}; only cross-entropy has labels to smooth. Leave --label-smoothing out, or use --loss cross-entropy."));
        return new(Name, true, (y, t) => CrossEntropy(y, t, smoothing));
    }

    /// <summary>
    /// The loss of a batch, a scalar. Cross-entropy takes logits <c>[N,C]</c> or <c>[N,C,D1..]</c> and int64 classes <c>[N]</c> or <c>[N,D1..]</c>;
    /// the others take outputs and labels of as many elements.
    /// </summary>
    /// <exception cref="DataException">The shapes do not fit.</exception>
    public Tensor Of(Tensor output, Tensor label) => compute(output, label);

    private static Tensor CrossEntropy(Tensor logits, Tensor label, double smoothing)
    {
        var (y, t) = (logits.shape, label.shape);
        if (y.Length < 2 || t.Length != y.Length - 1 || t[0] != y[0] || !t.AsSpan(1).SequenceEqual(y.AsSpan(2)))
            throw new DataException($"Cross-entropy takes logits [N,C] or [N,C,D1..] and classes [N] or [N,D1..], got [{string.Join(',', y)}] and [{string.Join(',', t)}]. Choose another --loss, or check the labels.");
        return nn.functional.cross_entropy(logits, label, label_smoothing: smoothing);
    }

    private static Tensor Like(Tensor output, Tensor label)
    {
        if (label.numel() != output.numel() || label.shape[0] != output.shape[0])
            throw new DataException($"The model's output is [{string.Join(',', output.shape)}], the labels are [{string.Join(',', label.shape)}]; this loss needs as many elements of each.");
        return label.reshape(output.shape).to_type(output.dtype);
    }
}
