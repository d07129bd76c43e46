using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Max, Min, Sum and Mean from version 6 on: any number of tensors, which broadcast from version 8 on.</summary>
internal sealed class Variadic : NamedOperator
{
    private static readonly Rule[] Rules =
    [
        new("Max", [6, 8, 12, 13], maximum) { Elements = (a, b) => a + b - Dim.Min(a, b) },
        new("Min", [6, 8, 12, 13], minimum) { Elements = Dim.Min },
        new("Sum", [6, 8, 13], (a, b) => a.Plus(b)),
        new("Mean", [6, 8, 13], (a, b) => a.Plus(b)) { Averages = true },
    ];

    private readonly Rule rule;
    private readonly int[] inputIndices;

    private Variadic(NodeReader node, Rule rule) : base(node, Math.Max(1, node.InputCount), int.MaxValue)
    {
        this.rule = rule;
        inputIndices = [.. Enumerable.Range(0, node.InputCount)];
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = ElementType.Undefined;
        var elements = KnownElements.Of(context, 0);
        foreach (var i in inputIndices)
        {
            var other = context.Element(i);
            if (element != ElementType.Undefined && other != ElementType.Undefined && element != other)
                throw context.Error($"element types {element} and {other} differ; cast one of them.");
            if (other != ElementType.Undefined)
                element = other;
            if (i > 0)
                elements = rule.Elements is null ? null : KnownElements.Combine(element, elements, KnownElements.Of(context, i), rule.Elements);
        }

        return [new InferredValue(new TensorType(element, Broadcasting.Infer(context, inputIndices)), elements)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        if (Broadcasting.Extents([.. inputs!]) is null)
            throw Error(Broadcasting.Mismatch([.. inputs!]));
        var result = inputs.Skip(1).Aggregate(inputs[0]!, (a, b) => WideUnsigned.Narrowed(rule.Kernel(WideUnsigned.Widened(a, wraps: false), WideUnsigned.Widened(b!, wraps: false)), a));
        return [rule.Averages && inputs.Count > 1 ? result.DividedBy(inputs.Count) : result];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => Rules.Select(r => new OperatorDefinition(r.Name, r.Versions, node => new Variadic(node, r)) { Types = r.Averages || r.Elements is null ? TypeSets.Floats : TypeSets.Numbers });
    }

    private sealed record Rule(string Name, int[] Versions, Func<Tensor, Tensor, Tensor> Kernel)
    {
        public Func<Dim, Dim, Dim?>? Elements { get; init; }

        public bool Averages { get; init; }
    }
}
