using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Movement;

/// <summary>
/// ScatterElements from version 11 on, and its older name Scatter: a copy of data in which each update stands at its own place,
/// but for <c>axis</c>, where the index says. Updates of one place fold by <c>reduction</c>.
/// </summary>
internal sealed class ScatterElements : NamedOperator
{
    private readonly long axis;
    private readonly string reduction;

    private ScatterElements(NodeReader node) : base(node, 3, 3)
    {
        axis = node.Int("axis", 0);
        reduction = ScatterRows.Reduction(node);
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (context.Shape(0) is { } data)
        {
            _ = Axis(axis, data.Rank);
            if (context.Shape(1) is { } indices && indices.Rank != data.Rank || context.Shape(2) is { } updates && updates.Rank != data.Rank)
                throw Error($"indices {context.Shape(1)} and updates {context.Shape(2)} must have the rank of data {data}.");
        }

        return [InferredValue.Tensor(context.Element(0), context.Shape(0))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (data, indices, updates) = (inputs[0]!.shape, inputs[1]!.shape, inputs[2]!.shape);
        if (!indices.SequenceEqual(updates) || indices.Length != data.Length)
            throw Error($"indices [{string.Join(',', indices)}] and updates [{string.Join(',', updates)}] must be equal, and of the rank of data [{string.Join(',', data)}].");
        var at = Axis(axis, data.Length);
        if (data.Where((d, a) => a != at && indices[a] > d).Any())
            throw Error($"indices [{string.Join(',', indices)}] reach beyond data [{string.Join(',', data)}] on an axis other than {at}.");
        var linear = zeros([.. Enumerable.Repeat(1L, data.Length)], ScalarType.Int64, device: inputs[0]!.device);
        for (var a = 0; a < data.Length; a++)
        {
            var own = new long[data.Length];
            Array.Fill(own, 1);
            own[a] = -1;
            linear = linear.Times(data[a]).Plus(a == at ? Indices.Positive(inputs[1]!, data[a], Error) : TensorArithmetic.Arange(indices[a], inputs[0]!.device).reshape(own));
        }

        return [ScatterRows.Apply(inputs[0]!.reshape(-1), linear.reshape(-1), inputs[2]!.reshape(-1), reduction).reshape(data)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("ScatterElements", [11, 13, 16, 18], node => new ScatterElements(node)) { Types = TypeSets.All },
            new("Scatter", [9], node => new ScatterElements(node)) { Types = TypeSets.All, Withdrawn = (11, "ScatterElements") },
        ];
    }
}
