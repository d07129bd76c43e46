using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// Resize, all versions, and Upsample, versions 1, 7 and 9: samples axes anew, to sizes or by scales, by nearest, linear or cubic
/// interpolation of each axis in turn.
/// </summary>
internal sealed class Resize : NamedOperator
{
    private const string Crop = "tf_crop_and_resize";

    private readonly Interpolation interpolation;
    private readonly float extrapolation;
    private readonly float[]? fixedScales;
    private readonly int scalesInput;
    private readonly long[]? axes;
    private readonly string policy;

    private Resize(NodeReader node, bool upsample) : base(node, upsample && node.Version < 9 ? 1 : !upsample && node.Version >= 11 ? 1 : 2, upsample && node.Version < 9 ? 1 : upsample || node.Version < 11 ? 2 : 4)
    {
        var old = upsample || node.Version < 11;
        fixedScales = upsample && node.Version < 9 ? FixedScales(node) : null;
        scalesInput = old ? 1 : 2;
        var mode = node.String("mode", "nearest");
        interpolation = new()
        {
            Mode = mode == "bilinear" && upsample ? "linear" : mode,
            Coordinates = old ? "asymmetric" : node.String("coordinate_transformation_mode", "half_pixel"),
            NearestMode = old ? "simple" : node.String("nearest_mode", "round_prefer_floor"),
            CubicA = old ? 0 : node.Float("cubic_coeff_a", -0.75f),
            ExcludeOutside = !old && node.Flag("exclude_outside", false),
            Antialias = !old && node.Version >= 18 && node.Flag("antialias", false),
        };
        extrapolation = old ? 0 : node.Float("extrapolation_value", 0);
        axes = !old && node.Version >= 18 ? node.Ints("axes") : null;
        policy = !old && node.Version >= 18 ? node.String("keep_aspect_ratio_policy", "stretch") : "stretch";
        var known = interpolation.Coordinates is "half_pixel" or "pytorch_half_pixel" or "align_corners" or "asymmetric" or Crop
            || interpolation.Coordinates == "half_pixel_symmetric" && node.Version >= 19
            || interpolation.Coordinates == "tf_half_pixel_for_nn" && node.Version < 13;
        if (!known)
            throw node.Unsupported($"coordinate_transformation_mode '{interpolation.Coordinates}' is not one of this version.");
        if (interpolation.Mode is not ("nearest" or "linear") && (old || interpolation.Mode != "cubic"))
            throw node.Unsupported($"mode '{mode}' is not one of nearest, linear, and cubic from version 11 on.");
        if (interpolation.NearestMode is not ("simple" or "round_prefer_floor" or "round_prefer_ceil" or "floor" or "ceil"))
            throw node.Unsupported($"nearest_mode '{interpolation.NearestMode}' is not one of round_prefer_floor, round_prefer_ceil, floor, ceil.");
        if (policy is not ("stretch" or "not_larger" or "not_smaller"))
            throw node.Unsupported($"keep_aspect_ratio_policy '{policy}' is not one of stretch, not_larger, not_smaller.");
    }

    public override bool PassesGradient(int input) => input == 0;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        if (context.Shape(0) is not { } x)
            return UnknownShape(element);
        var at = Targets(x.Rank);
        Dim[] dims = [.. x];
        if ((fixedScales ?? Floats(context.Constant(scalesInput))) is { Length: > 0 } scales)
        {
            RequireScales(scales, at);
            for (var i = 0; i < at.Length; i++)
                dims[at[i]] = Scaled(x[at[i]], scales[i]);
        }
        else if (policy == "stretch" && KnownElements.VectorOf(context, 3) is { Count: > 0 } sizes)
        {
            if (sizes.Count != at.Length)
                throw Error($"there are {sizes.Count} sizes for {at.Length} axes.");
            for (var i = 0; i < at.Length; i++)
                dims[at[i]] = sizes[i];
        }
        else
        {
            foreach (var axis in at)
                dims[axis] = Dim.Unknown();
            if (KnownElements.Numbers(context, 3) is { Length: > 0 } numbers && at.All(a => x[a].IsKnown))
            {
                foreach (var (axis, line) in at.Zip(FromSizes([.. at.Select(a => x[a].Value)], numbers, null)))
                    dims[axis] = line.Resized;
            }
        }

        return Output(element, dims);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var shape = inputs[0]!.shape;
        var at = Targets(shape.Length);
        long[] extents = [.. at.Select(a => shape[a])];
        if (extents.Contains(0))
            throw Error($"[{string.Join(',', shape)}] has an empty axis, which cannot be resized.");
        var region = interpolation.Coordinates == Crop ? Floats(Given(inputs, 1)) ?? throw Error($"the coordinates {Crop} need a region of interest.") : null;
        if (region is not null && region.Length != 2 * at.Length)
            throw Error($"the region of interest has {region.Length} numbers for {at.Length} axes; two are needed for each.");
        // Fractions of the extents: beyond this, places have no exact number any more.
        if (region?.FirstOrDefault(r => !(MathF.Abs(r) <= 1 << 10), 0) is { } far and not 0)
            throw Error($"the region of interest reaches to {far}; it is given in fractions of the extents, of at most 1,024.");
        Interpolation.Axis[] lines;
        if ((fixedScales ?? Floats(Given(inputs, scalesInput))) is { } scales)
        {
            RequireScales(scales, at);
            lines = [.. extents.Select((e, i) => new Interpolation.Axis(e, Scaled(e, scales[i]).Value, scales[i], region?[i] ?? 0, region?[at.Length + i] ?? 1))];
        }
        else
        {
            lines = FromSizes(extents, Given(inputs, 3)?.ToInt64s() ?? throw Error("neither scales nor sizes are given."), region);
        }

        return [at.Zip(lines).Aggregate(inputs[0]!, (x, axis) => Along(x, axis.First, axis.Second))];
    }

    private Tensor Along(Tensor x, int axis, Interpolation.Axis line)
    {
        if (line.Resized == line.Extent && line.Scale == 1 && interpolation.Coordinates != Crop)
            return x;
        Tensor result;
        if (interpolation.Mode == "nearest")
        {
            var places = new long[line.Resized];
            for (var i = 0; i < places.Length; i++)
                places[i] = interpolation.Nearest(interpolation.Source(i, line), line);
            result = x.index_select(axis, tensor(places, device: x.device));
        }
        else
        {
            var floating = x.is_floating_point() ? x.dtype : ScalarType.Float32;
            var weights = tensor(interpolation.Weights(line), [line.Resized, line.Extent], device: x.device).to(floating);
            result = x.to(floating).transpose(axis, -1).MatrixTimes(weights.t()).transpose(axis, -1).to(x.dtype);
        }

        if (interpolation.Coordinates != Crop)
            return result;
        var outside = new bool[line.Resized];
        for (var i = 0; i < outside.Length; i++)
            outside[i] = interpolation.Source(i, line) is var source && (source < 0 || source > line.Extent - 1);
        long[] own = [.. Enumerable.Repeat(1L, (int)x.dim())];
        own[axis] = -1;
        return result.masked_fill(tensor(outside, device: x.device).reshape(own), Scalars.Of(extrapolation));
    }

    private Interpolation.Axis[] FromSizes(long[] extents, long[] sizes, float[]? region)
    {
        if (sizes.Length != extents.Length || sizes.Any(s => s is <= 0 or > int.MaxValue))
            throw Error($"sizes [{string.Join(',', sizes)}] do not fit {extents.Length} axes; one positive number is needed for each.");
        var scales = sizes.Zip(extents, (s, e) => (float)s / e).ToArray();
        if (policy != "stretch")
        {
            var common = policy == "not_larger" ? scales.Min() : scales.Max();
            Array.Fill(scales, common);
            sizes = [.. extents.Select(e => (long)MathF.Floor(common * e + 0.5f))];
        }

        return [.. extents.Select((e, i) => new Interpolation.Axis(e, sizes[i], scales[i], region?[i] ?? 0, region?[extents.Length + i] ?? 1))];
    }

    private static Dim Scaled(Dim extent, float scale)
    {
        if (extent.IsKnown)
            return (long)MathF.Floor(extent.Value * scale);
        // Halves, quarters and so on of a symbol are exact.
        for (var denominator = 1; denominator <= 16; denominator *= 2)
        {
            if (scale * denominator is var numerator && numerator == MathF.Floor(numerator))
                return numerator == denominator ? extent : Dim.FloorDiv(extent * (long)numerator, denominator);
        }

        return Dim.Unknown();
    }

    // Version 1 scales images, by a number for each direction.
    private static float[] FixedScales(NodeReader node)
    {
        if (node.Version >= 7)
            return node.Floats("scales") ?? throw Missing("scales");
        return node.Has("height_scale") && node.Has("width_scale")
            ? [1, 1, node.Float("height_scale", 1), node.Float("width_scale", 1)]
            : throw Missing("height_scale' or 'width_scale");
        Exception Missing(string name) => node.Malformed($"attribute '{name}' is missing; the operator needs it.");
    }

    private void RequireScales(float[] scales, int[] at)
    {
        if (scales.Length != at.Length || scales.Any(s => !(s > 0) || s > 1 << 20))
            throw Error($"scales [{string.Join(',', scales)}] do not fit {at.Length} axes; one positive number is needed for each.");
    }

    private int[] Targets(int rank) => Axes(axes ?? [.. Enumerable.Range(0, rank).Select(i => (long)i)], rank);

    // An empty tensor stands for an omitted input.
    private static TensorData? Given(IReadOnlyList<Tensor?> inputs, int index) =>
        index < inputs.Count && inputs[index] is { } tensor && tensor.numel() > 0 ? tensor.ToTensorData() : null;

    private static float[]? Floats(TensorData? data) => data is { ElementCount: > 0 } ? [.. data.ToDoubles().Select(d => (float)d)] : null;

    // Axes are sampled in turn: one may have grown before the next has shrunk. Interpolation multiplies by a matrix for each axis.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (context.Shape(0) is not { IsKnown: true } x || outputs[0]?.Shape is not { IsKnown: true } y || x.Rank != y.Rank)
            return default;
        var (work, products, now) = (0.0, 0.0, x.ToArray());
        foreach (var axis in Targets(x.Rank).Where(a => !x[a].Equals(y[a])))
        {
            now[axis] = y[axis];
            work += Workload.Count(now);
            if (interpolation.Mode == "nearest")
                continue;
            work += 2 * Workload.Count([x[axis], y[axis]]);
            products += Workload.Count(now) * x[axis].Value;
        }

        var made = Workload.Of(work);
        return made with { Steps = made.Steps + products };
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Resize", [10, 11, 13, 18, 19], node => new Resize(node, upsample: false)) { Ranges = [new(1, 1, 2, true), new(2, 1, 2, true), new(3, 1, 8)], Types = TypeSets.Numbers },
            new("Upsample", [1, 7, 9], node => new Resize(node, upsample: true)) { Ranges = [new(1, 1, 2, true)], Types = TypeSets.Numbers, Withdrawn = (10, "Resize") },
        ];
    }
}
