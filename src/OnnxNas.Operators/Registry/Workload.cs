using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators;

/// <summary>What a kernel takes, in floating point, since the sizes that a file asks for overflow any integer.</summary>
/// <param name="Elements">Elements of the tensors it makes.</param>
/// <param name="Steps">Multiply-accumulate operations, or other work that takes about as long.</param>
public readonly record struct Workload(double Elements, double Steps)
{
    // A multiplication in a matrix product is one of many in a vector register; an element that is read or made goes through memory.
    private const double StepsPerElement = 25;

    /// <summary>A workload of tensors that are made and read once.</summary>
    public static Workload Of(double elements) => new(elements, elements * StepsPerElement);

    /// <summary>Both together.</summary>
    public static Workload operator +(Workload a, Workload b) => new(a.Elements + b.Elements, a.Steps + b.Steps);

    /// <summary>The number of elements of a shape; 0 where it is not known.</summary>
    public static double Count(IEnumerable<Dim>? shape) => shape?.Aggregate(1.0, (count, dim) => count * (dim.ValueOrNull is { } extent ? Math.Max(0, extent) : 0)) ?? 0;
}

/// <summary>What running a node takes, worked out from shapes before it is run.</summary>
/// <param name="Bytes">Memory for its outputs and for what the kernel makes on the way.</param>
/// <param name="Steps">As <see cref="Workload.Steps"/>.</param>
/// <param name="IsWhole">Whether the shape of every output is known, so that nothing is missing.</param>
public readonly record struct NodeWork(double Bytes, double Steps, bool IsWhole)
{
    /// <summary>The work of a node whose operator says <paramref name="outputs"/> of its outputs.</summary>
    public static NodeWork Of(OnnxOperator bound, InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        ArgumentNullException.ThrowIfNull(bound);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(outputs);
        var (bytes, read, isWhole) = (0.0, 0.0, true);
        for (var i = 0; i < context.InputCount; i++)
            read += Workload.Count(context.Shape(i));
        var made = 0.0;
        for (var i = 0; i < context.Node.Outputs.Count; i++)
        {
            if (context.Node.Outputs[i] is null)
                continue;
            var known = i < outputs.Count ? outputs[i] : null;
            isWhole &= known?.Shape?.IsKnown == true;
            // What depends on the data (NonZero) is at most a few numbers for each that is read.
            var count = known?.Shape is { IsKnown: true } shape ? Workload.Count(shape) : read;
            made += count;
            bytes += count * Math.Max(1, (known?.Element ?? ElementType.Float32).BitWidth() / 8);
        }

        var meanwhile = bound.Meanwhile(context, outputs);
        var products = bound.MultiplyAccumulates(context, outputs) is { } macs ? macs.ValueOrNull ?? (macs.IsUnknown ? double.PositiveInfinity : 0) : 0;
        // Only products of floats have fast kernels.
        var each = context.Element(0) is ElementType.Float32 or ElementType.Float64 ? 1 : 10;
        var steps = Workload.Of(read + made).Steps + meanwhile.Steps + each * products;
        // Kernels widen integers and halves.
        var width = context.Element(0) == ElementType.Float32 ? sizeof(float) : sizeof(double);
        return new(bytes + width * meanwhile.Elements, steps, isWhole);
    }
}
