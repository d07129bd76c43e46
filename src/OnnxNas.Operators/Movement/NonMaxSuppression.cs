using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// NonMaxSuppression, versions 10 and 11: of boxes <c>[B,N,4]</c> with scores <c>[B,classes,N]</c>, those of each class that no better one
/// overlaps by more than iou_threshold, best first, as rows (batch, class, box): <c>[M,3]</c>.
/// </summary>
internal sealed class NonMaxSuppression : NamedOperator
{
    private readonly bool centred;

    private NonMaxSuppression(NodeReader node) : base(node, 2, 5)
    {
        centred = node.Flag("center_point_box", false);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => Output(ElementType.Int64, [Dim.Unknown(), 3]);

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (boxes, scores) = (inputs[0]!, inputs[1]!);
        if (boxes.dim() != 3 || scores.dim() != 3 || boxes.shape[2] != 4 || boxes.shape[0] != scores.shape[0] || boxes.shape[1] != scores.shape[2])
            throw Error($"boxes {boxes.Text()} and scores {scores.Text()} must be [B,N,4] and [B,classes,N].");
        var most = Number(inputs.At(2)) ?? 0;
        var (overlap, least) = (Number(inputs.At(3)) ?? 0, Number(inputs.At(4)) ?? double.NegativeInfinity);
        var (corners, values) = (boxes.ToTensorData().ToDoubles(), scores.ToTensorData().ToDoubles());
        var (count, classes) = ((int)boxes.shape[1], scores.shape[1]);
        var selected = new List<long>();
        for (var batch = 0; batch < boxes.shape[0]; batch++)
        {
            var own = Enumerable.Range(0, count).Select(i => Corners(corners.AsSpan((batch * count + i) * 4, 4))).ToArray();
            for (var c = 0; c < classes; c++)
            {
                foreach (var box in Best(own, values.AsSpan((int)(batch * classes + c) * count, count).ToArray(), most, overlap, least))
                    selected.AddRange([batch, c, box]);
            }
        }

        return [tensor(selected.ToArray(), [selected.Count / 3, 3], device: boxes.device)];
    }

    private static List<int> Best(Box[] boxes, double[] scores, double most, double overlap, double least)
    {
        var kept = new List<int>();
        foreach (var i in Enumerable.Range(0, boxes.Length).Where(i => scores[i] > least).OrderByDescending(i => scores[i]))
        {
            if (kept.Count >= most)
                break;
            if (kept.TrueForAll(k => boxes[k].Overlap(boxes[i]) <= overlap))
                kept.Add(i);
        }

        return kept;
    }

    private Box Corners(ReadOnlySpan<double> b) => centred
        ? new(b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2)
        : new(Math.Min(b[1], b[3]), Math.Min(b[0], b[2]), Math.Max(b[1], b[3]), Math.Max(b[0], b[2]));

    private double? Number(Tensor? tensor) => tensor is null ? null
        : tensor.numel() == 1 ? tensor.to(ScalarType.Float64).item<double>() : throw Error($"a limit must be one number, got {tensor.Text()}.");

    private readonly record struct Box(double Left, double Top, double Right, double Bottom)
    {
        private double Area => (Right - Left) * (Bottom - Top);

        // Shared area by joint area.
        public double Overlap(Box other)
        {
            var width = Math.Min(Right, other.Right) - Math.Max(Left, other.Left);
            var height = Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top);
            var shared = width > 0 && height > 0 ? width * height : 0;
            return shared == 0 ? 0 : shared / (Area + other.Area - shared);
        }
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("NonMaxSuppression", [10, 11], node => new NonMaxSuppression(node)) { Ranges = [new(2, 1, 4), new(3, 0, 1, true), new(4, 0, 0, true)], Types = [ElementType.Float32], Gradient = Gradient.None("gives indices") },
        ];
    }
}
