using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Signal;

/// <summary>MelWeightMatrix, version 17: triangular weights <c>[dft_length / 2 + 1, num_mel_bins]</c> from a spectrum to the mel scale.</summary>
internal sealed class MelWeightMatrix : NamedOperator
{
    private readonly ElementType type;

    private MelWeightMatrix(NodeReader node) : base(node, 5, 5)
    {
        type = (ElementType)node.Int("output_datatype", 1);
        _ = type.ToTorch();
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => Output(type,
    [
        KnownElements.Of(context, 1) is [var length] ? Dim.FloorDiv(length, 2) + 1 : Dim.Unknown(),
        KnownElements.Of(context, 0) is [var bins] ? bins : Dim.Unknown(),
    ]);

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (inputs.Any(i => i!.numel() != 1))
            throw Error("every input must be one number.");
        var (bins, length, rate) = (inputs[0]!.ToInt64s()[0], inputs[1]!.ToInt64s()[0], inputs[2]!.ToInt64s()[0]);
        var (low, high) = (inputs[3]!.to(ScalarType.Float64).item<double>(), inputs[4]!.to(ScalarType.Float64).item<double>());
        var rows = length / 2 + 1;
        if (bins is < 1 or > 1 << 16 || length is < 1 or > 1 << 20 || rate < 1 || !(low >= 0 && high > low && high <= rate / 2.0))
            throw Error($"{bins} bins of a transform of length {length} at rate {rate} from {low} to {high} Hz make no mel scale.");
        var weights = new double[rows * bins];
        var edges = Edges(bins, length, rate, low, high);
        for (var bin = 0; bin < bins; bin++)
        {
            var (from, centre, to) = (edges[bin], edges[bin + 1], edges[bin + 2]);
            if (centre == from)
                weights[centre * bins + bin] = 1;
            for (var row = from; centre > from && row <= centre; row++)
                weights[row * bins + bin] = (double)(row - from) / (centre - from);
            for (var row = centre; row < to; row++)
                weights[row * bins + bin] = (double)(to - row) / (to - centre);
        }

        return [tensor(weights, [rows, bins], device: inputs[0]!.device).to(type.ToTorch())];
    }

    private static long[] Edges(long bins, long length, long rate, double low, double high)
    {
        var (from, to) = (Mel(low), Mel(high));
        var step = (to - from) / (bins + 2);
        var edges = new long[bins + 2];
        for (var i = 0; i < edges.Length; i++)
            edges[i] = (long)Math.Floor((length + 1) * 700 * (Math.Pow(10, (from + i * step) / 2595) - 1) / rate);
        return edges;

        static double Mel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("MelWeightMatrix", [17], node => new MelWeightMatrix(node)) { Ranges = [new(0, 1, 8), new(1, 8, 16), new(2, 8000, 8000), new(3, 0, 100, true), new(4, 1000, 4000, true)], Types = TypeSets.Numbers, Gradient = Gradient.None("is made of constants") },
        ];
    }
}
