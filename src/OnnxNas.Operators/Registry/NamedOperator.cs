using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators;

/// <summary>An operator that checks how many inputs its node has, and whose kernel reports errors in the node's name.</summary>
internal abstract class NamedOperator : OnnxOperator
{
    private readonly string name;

    protected NamedOperator(NodeReader node, int required, int most)
    {
        name = node.Node.ToString();
        for (var i = 0; i < required; i++)
        {
            if (!node.HasInput(i))
                throw node.Malformed($"input {i} is missing; the operator needs {required}.");
        }

        if (node.InputCount > most)
            throw node.Malformed($"there are {node.InputCount} inputs; this version of the operator takes at most {most}.");
    }

    /// <summary>An error that names the node.</summary>
    protected ShapeInferenceException Error(string message) => new($"{name}: {message}");

    /// <summary>An error that names the node, for what cannot be told before the input is seen.</summary>
    protected UnsupportedOperatorException Unsupported(string message) => new($"{name}: {message}");

    /// <summary>An axis counted from the front.</summary>
    protected int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw Error($"axis {axis} does not exist in a tensor of rank {rank}; it must lie in [{-rank},{rank - 1}].");

    /// <summary>Axes counted from the front, in the given order.</summary>
    protected int[] Axes(IEnumerable<long> axes, int rank)
    {
        int[] result = [.. axes.Select(a => Axis(a, rank))];
        return result.Distinct().Count() == result.Length ? result : throw Error($"axes [{string.Join(',', result)}] name one axis twice.");
    }

    /// <summary>Extents of a result, checked before libtorch multiplies them.</summary>
    protected long[] Countable(long[] extents)
    {
        long count = 1;
        foreach (var extent in extents)
        {
            if (Math.BigMul(count, extent, out count) != 0 || count < 0)
                throw Error($"a tensor [{string.Join(',', extents)}] holds more elements than 64 bits can count.");
        }

        return extents;
    }

    /// <summary>One extent from two that must be equal: the better known one.</summary>
    protected Dim Same(Dim a, Dim b, string where)
    {
        if (a.IsKnown && b.IsKnown && a.Value != b.Value)
            throw Error($"extents {a} and {b} differ {where}; they must be equal.");
        return a.IsUnknown || b.IsKnown ? b : a;
    }

    /// <summary>A tensor of the input's element type whose shape is not known.</summary>
    protected static IReadOnlyList<InferredValue?> UnknownShape(ElementType element) => [InferredValue.Tensor(element, null)];

    /// <summary>An operator of one output.</summary>
    protected static IReadOnlyList<InferredValue?> Output(ElementType element, IEnumerable<Dim> dims, IReadOnlyList<Dim>? elements = null) =>
        [new InferredValue(new TensorType(element, dims as Shape ?? new Shape(dims)), elements)];
}
