using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Functions of one tensor, element by element: X to Y of the same shape. All versions.</summary>
internal sealed class UnaryMath(NodeReader node, UnaryMath.Rule rule) : NamedOperator(node, 1, 1)
{
    private static readonly Rule[] Rules =
    [
        new("Abs", [6, 13], x => x.abs()) { Takes = Numeric, Elements = d => d.ValueOrNull is > long.MinValue and var value ? Math.Abs(value) : d.IsNonNegative ? d : Dim.Unknown() },
        new("Neg", [6, 13], x => -x) { Takes = type => type.IsFloatingPoint() || TypeSets.Signed.Contains(type), Elements = d => d * -1 },
        new("Sign", [9, 13], x => x.sign()) { Takes = Numeric, IsStep = true },
        new("Reciprocal", [6, 13], x => x.reciprocal()),
        new("Exp", [6, 13], x => x.exp()),
        new("Log", [6, 13], x => x.log()),
        new("Sqrt", [6, 13], x => x.sqrt()),
        new("Erf", [9, 13], x => x.erf()),
        new("Floor", [6, 13], x => x.floor()) { IsStep = true },
        new("Ceil", [6, 13], x => x.ceil()) { IsStep = true },
        new("Round", [11, 22], x => x.round()) { IsStep = true }, // Halves go to the even neighbour, as in ONNX.
        new("Sin", [7, 22], x => x.sin()),
        new("Cos", [7, 22], x => x.cos()),
        new("Tan", [7, 22], x => x.tan()),
        new("Asin", [7, 22], x => x.asin()),
        new("Acos", [7, 22], x => x.acos()),
        new("Atan", [7, 22], x => x.atan()),
        new("Sinh", [9, 22], x => x.sinh()),
        new("Cosh", [9, 22], x => x.cosh()),
        new("Asinh", [9, 22], x => x.asinh()),
        new("Acosh", [9, 22], x => x.acosh()),
        new("Atanh", [9, 22], x => x.atanh()),
        new("IsNaN", [9, 13, 20], x => x.isnan()) { Result = ElementType.Bool },
        new("Not", [1], x => x.logical_not()) { Takes = type => type == ElementType.Bool },
        new("BitwiseNot", [18], x => x.bitwise_not()) { Takes = ElementTypes.IsInteger },
    ];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = context.Element(0);
        Require(element);
        IReadOnlyList<Dim>? elements = rule.Elements is null ? null : KnownElements.Of(context, 0)?.Select(rule.Elements).ToList();
        return [new InferredValue(new TensorType(rule.Result ?? element, context.Shape(0)), KnownElements.Fitting(element, elements))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        Require(inputs[0]!.dtype.ToElementType());
        return [WideUnsigned.Narrowed(rule.Kernel(WideUnsigned.Widened(inputs[0]!, wraps: true)), inputs[0]!)];
    }

    private void Require(ElementType element)
    {
        if (element != ElementType.Undefined && !rule.Takes(element))
            throw Error($"element type {element} is not one the operator takes; cast the input.");
    }

    private static bool Numeric(ElementType type) => type.IsFloatingPoint() || type.IsInteger();

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => Rules.Select(r => r.Definition);
    }

    /// <summary>One row of the table.</summary>
    public sealed record Rule(string Name, int[] Versions, Func<Tensor, Tensor> Kernel)
    {
        public ElementType? Result { get; init; }

        public Func<ElementType, bool> Takes { get; init; } = ElementTypes.IsFloatingPoint;

        /// <summary>Whether the function is constant but for jumps.</summary>
        public bool IsStep { get; init; }

        /// <summary>The function on elements of shape computations.</summary>
        public Func<Dim, Dim>? Elements { get; init; }

        public OperatorDefinition Definition
        {
            get
            {
                var definition = new OperatorDefinition(Name, Versions, node => new UnaryMath(node, this)) { Types = [.. TypeSets.All.Where(Takes)] };
                return IsStep ? definition with { Gradient = Gradient.None("is constant between steps") }
                    : Result == ElementType.Bool ? definition with { Gradient = Gradient.None("gives truth values") }
                    : definition;
            }
        }
    }
}
