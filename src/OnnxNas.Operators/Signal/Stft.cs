using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Signal;

/// <summary>
/// STFT, version 17: the Fourier transform of frames of a signal <c>[B,L,1]</c> or <c>[B,L,2]</c>, one every frame_step, each frame_length long
/// and scaled by a window: <c>[B,frames,bins,2]</c>.
/// </summary>
internal sealed class Stft : NamedOperator
{
    private readonly bool onesided;

    private Stft(NodeReader node) : base(node, 2, 4)
    {
        onesided = node.Flag("onesided", true);
        if (!node.HasInput(2) && !node.HasInput(3))
            throw node.Malformed("a window or a frame_length is needed.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var signal = context.Shape(0);
        var step = KnownElements.Of(context, 1) is [var s] ? s : Dim.Unknown();
        var length = KnownElements.Of(context, 3) is [var l] ? l : context.Shape(2) is { Rank: 1 } window ? window[0] : Dim.Unknown();
        var frames = signal is { Rank: 3 } && step.ValueOrNull is > 0 ? Dim.FloorDiv(signal[1] - length, step) + 1 : Dim.Unknown();
        return Output(context.Element(0), [signal?[0] ?? Dim.Unknown(), frames, onesided ? Dim.FloorDiv(length, 2) + 1 : length, 2]);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (signal, window) = (inputs[0]!, inputs.At(2));
        if (signal.dim() != 3 || signal.shape[2] is not (1 or 2) || !signal.is_floating_point() || onesided && signal.shape[2] == 2)
            throw Error($"the signal {signal.dtype} {signal.Text()} must be [B,L,1] of floats, or [B,L,2] where both sides are asked for.");
        var step = One(inputs[1]!, "frame_step");
        var length = inputs.At(3) is { } given ? One(given, "frame_length") : window!.numel();
        if (step < 1 || length < 1 || length > signal.shape[1] || window is not null && !window.shape.SequenceEqual([length]))
            throw Error($"frame_step {step}, frame_length {length} and window {window?.Text() ?? "none"} do not fit the signal {signal.Text()}.");
        var frames = signal.unfold(1, length, step).transpose(2, 3);
        if (window is not null)
            frames *= window.to(signal.dtype).reshape(-1, 1);
        var exact = signal.dtype is ScalarType.Float32 or ScalarType.Float64 ? frames : frames.to(ScalarType.Float32);
        return [Fourier.Transform(exact, 2, length, inverse: false, onesided).to(signal.dtype)];
    }

    private long One(Tensor tensor, string what) => tensor.numel() == 1 ? tensor.ToInt64s()[0] : throw Error($"{what} must be one number.");

    // Frames, cut out and scaled, and the other side of the spectrum.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => Workload.Of(2 * Workload.Count(outputs[0]?.Shape));

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("STFT", [17], node => new Stft(node)) { Ranges = [new(1, 1, 4), new(3, 1, 4)] }];
    }
}
