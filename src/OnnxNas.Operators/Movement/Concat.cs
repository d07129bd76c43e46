using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>Concat from version 4 on: joins tensors that are equal but for the extent of <c>axis</c>.</summary>
internal sealed class Concat : NamedOperator
{
    private readonly long axis;
    private readonly int count;

    private Concat(NodeReader node) : base(node, Math.Max(1, node.InputCount), int.MaxValue)
    {
        axis = node.Int("axis");
        count = node.InputCount;
        if (axis < 0 && node.Version < 11)
            throw node.Malformed($"axis {axis} is negative, which this version does not know.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = Enumerable.Range(0, count).Select(context.Element).FirstOrDefault(e => e != ElementType.Undefined);
        if (Enumerable.Range(0, count).Select(context.Shape).FirstOrDefault(s => s is not null) is not { } first)
            return UnknownShape(element);
        var at = Axis(axis, first.Rank);
        Dim[] dims = [.. first];
        dims[at] = 0;
        for (var i = 0; i < count; i++)
        {
            if (context.Element(i) is var other && other != element && other != ElementType.Undefined)
                throw context.Error($"element types {element} and {other} differ; cast one of them.");
            var shape = context.Shape(i) ?? new Shape(KnownElements.Unknown(first.Rank));
            if (shape.Rank != first.Rank)
                throw context.Error($"input {i} {shape} and input 0 {first} differ in rank.");
            for (var a = 0; a < first.Rank; a++)
                dims[a] = a == at ? dims[a] + shape[a] : Same(dims[a], shape[a], $"on axis {a} of input {i} {shape}");
        }

        return Output(element, dims, first.Rank == 1 ? Elements(context) : null);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        Tensor[] tensors = [.. inputs!];
        var first = tensors[0].shape;
        var at = Axis(axis, first.Length);
        foreach (var tensor in tensors.AsSpan(1))
        {
            var shape = tensor.shape;
            if (shape.Length != first.Length || first.Where((d, a) => a != at && d != shape[a]).Any())
                throw Error($"[{string.Join(',', first)}] and [{string.Join(',', shape)}] must be equal but for axis {at}.");
        }

        return [tensors.Length == 1 ? tensors[0] : cat(tensors, at)];
    }

    private List<Dim>? Elements(InferenceContext context)
    {
        var elements = new List<Dim>();
        for (var i = 0; i < count; i++)
        {
            if (KnownElements.VectorOf(context, i) is not { } part || elements.Count + part.Count > KnownElements.Limit)
                return null;
            elements.AddRange(part);
        }

        return elements.All(e => e.IsUnknown) ? null : elements;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Concat", [4, 11, 13], node => new Concat(node)) { Types = TypeSets.All }];
    }
}
