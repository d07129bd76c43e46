using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>The window of a pool: its geometry for given extents, and the ways to hand it to libtorch.</summary>
internal sealed class PoolWindow
{
    private readonly WindowGeometry geometry;
    private readonly string op;

    public PoolWindow(NodeReader node, bool ceil, bool dilated)
    {
        geometry = new(node, ceil, dilated);
        op = node.Node.OpType;
        Kernel = geometry.Kernel ?? throw node.Malformed("attribute 'kernel_shape' is missing; the operator needs it.");
    }

    /// <summary>The kernel's extents.</summary>
    public long[] Kernel { get; }

    /// <summary>The shape rule of pools: batch and channels stay.</summary>
    public Shape? OutputShape(InferenceContext context)
    {
        if (context.Shape(0) is not { } x)
            return null;
        if (x.Rank < 3)
            throw context.Error($"X {x} must have the rank 3 or more.");
        return new Shape([x[0], x[1], .. geometry.OutputExtents(context, [.. x.Skip(2)], [.. Kernel.Select(Dim.Known)])]);
    }

    /// <summary>The padded input, and the elements under all windows.</summary>
    public Workload Work(InferenceContext context)
    {
        if (context.Shape(0) is not { Rank: >= 3 } x || OutputShape(context) is not { IsKnown: true } y || x.ToLongs() is not { } extents)
            return default;
        var work = Workload.Of(geometry.Padded(extents, Kernel) + Workload.Count(Kernel.Select(Dim.Known)));
        return work with { Steps = work.Steps + Workload.Count(y) * Workload.Count(Kernel.Select(Dim.Known)) };
    }

    /// <summary>The window over a tensor.</summary>
    public Placement Place(Tensor x)
    {
        var spatial = (int)x.dim() - 2;
        if (spatial is < 1 or > 3)
            throw new UnsupportedOperatorException($"{op} over {spatial} spatial axes is not supported; 1 to 3 are.");
        Rules.Require(Kernel.Length == spatial, () => $"{op}: kernel_shape has {Kernel.Length} entries, X {x.Text()} has {spatial} spatial axes.");
        var extents = x.shape.AsSpan(2);
        var (strides, dilations, pads) = (geometry.Strides(spatial), geometry.Dilations(spatial), geometry.Pads(extents, Kernel));
        var outputs = new long[spatial];
        for (var i = 0; i < spatial; i++)
        {
            var (axis, extent) = (i, extents[i]);
            var room = extent + pads[i] + pads[spatial + i] - (Kernel[i] - 1) * dilations[i] - 1;
            Rules.Require(room >= 0 && extent > 0, () => $"{op}: the window is larger than the padded input {x.Text()} on spatial axis {axis}.");
            outputs[i] = geometry.CeilMode
                ? Math.Min((room + strides[i] - 1) / strides[i] + 1, (extent + pads[i] + strides[i] - 1) / strides[i])
                : room / strides[i] + 1;
        }

        return new(Kernel, strides, dilations, pads, outputs, geometry.CeilMode);
    }

    /// <summary>A window placed over known extents. <paramref name="Pads"/> holds all begins, then all ends.</summary>
    public sealed record Placement(long[] Kernel, long[] Strides, long[] Dilations, long[] Pads, long[] Outputs, bool CeilMode)
    {
        /// <summary>Pads before the input.</summary>
        public long[] Begins => Pads[..Outputs.Length];

        /// <summary>Whether no window is dilated.</summary>
        public bool IsDense => Dilations.All(d => d == 1);

        /// <summary>Whether libtorch's own padding does: equal on both sides, and at most half the window.</summary>
        public bool IsNative
        {
            get
            {
                for (var i = 0; i < Outputs.Length; i++)
                {
                    if (Pads[i] != Pads[Outputs.Length + i] || Pads[i] > ((Kernel[i] - 1) * Dilations[i] + 1) / 2)
                        return false;
                }

                return true;
            }
        }

        /// <summary>The input with a border, so that windows without padding or rounding give exactly <see cref="Outputs"/>; what no window reaches is cut off.</summary>
        public Tensor Pad(Tensor x, double value)
        {
            var n = Outputs.Length;
            var exact = Begins.Concat(new long[n]).ToArray();
            for (var i = 0; i < n; i++)
                exact[n + i] = (Outputs[i] - 1) * Strides[i] + (Kernel[i] - 1) * Dilations[i] + 1 - x.size(2 + i) - Pads[i];
            return Padding.Constant(x, exact, value);
        }

        /// <summary>The sum over each window of X padded with zeros: a convolution of every plane with ones.</summary>
        public Tensor Sum(Tensor x)
        {
            var (n, lead) = (Outputs.Length, x.size(0) * x.size(1));
            var padded = Pad(x, 0);
            var planes = padded.reshape([lead, 1, .. padded.shape.AsSpan(2)]);
            var weight = ones([1, 1, .. Kernel], x.dtype, x.device);
            var sum = n switch
            {
                1 => nn.functional.conv1d(planes, weight, null, Strides[0], 0L, Dilations[0]),
                2 => nn.functional.conv2d(planes, weight, null, Strides, [0, 0], Dilations),
                _ => nn.functional.conv3d(planes, weight, null, Strides, [0, 0, 0], Dilations),
            };
            return sum.reshape([x.size(0), x.size(1), .. Outputs]);
        }
    }
}
