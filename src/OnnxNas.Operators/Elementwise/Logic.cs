using OnnxNas.Ir;
using static TorchSharp.torch;
using Rule = OnnxNas.Operators.Elementwise.BinaryOperator.Rule;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Comparisons, And, Or and Xor, all versions, and the bitwise functions. Both inputs broadcast.</summary>
internal static class Logic
{
    private static readonly Rule[] Rules =
    [
        new("Equal", [1, 7, 11, 13, 19], (a, b) => a.eq(b)) { Takes = TypeSets.All.Contains, Result = ElementType.Bool, Elements = Sameness },
        Order("Greater", [1, 7, 9, 13], (a, b) => a.gt(b), sign => sign > 0),
        Order("Less", [1, 7, 9, 13], (a, b) => a.lt(b), sign => sign < 0),
        Order("GreaterOrEqual", [12, 16], (a, b) => a.ge(b), sign => sign >= 0),
        Order("LessOrEqual", [12, 16], (a, b) => a.le(b), sign => sign <= 0),
        new("And", [1, 7], (a, b) => a.logical_and(b)) { Takes = Truth },
        new("Or", [1, 7], (a, b) => a.logical_or(b)) { Takes = Truth },
        new("Xor", [1, 7], (a, b) => a.logical_xor(b)) { Takes = Truth },
        new("BitwiseAnd", [18], (a, b) => a.bitwise_and(b)) { Takes = ElementTypes.IsInteger, Wraps = true },
        new("BitwiseOr", [18], (a, b) => a.bitwise_or(b)) { Takes = ElementTypes.IsInteger, Wraps = true },
        new("BitwiseXor", [18], (a, b) => a.bitwise_xor(b)) { Takes = ElementTypes.IsInteger, Wraps = true },
    ];

    private static Rule Order(string name, int[] versions, Func<Tensor, Tensor, Tensor> kernel, Func<int, bool> holds) =>
        new(name, versions, kernel) { Takes = TypeSets.Numbers.Contains, Result = ElementType.Bool, Elements = (a, b) => Known(a, b, holds) };

    private static bool Truth(ElementType type) => type == ElementType.Bool;

    private static Dim? Known(Dim a, Dim b, Func<int, bool> holds) =>
        (a - b).ValueOrNull is { } difference ? holds(Math.Sign(difference)) ? 1 : 0 : null;

    // Expand and reshape ask of a shape where it is -1, which no extent is.
    private static Dim? Sameness(Dim a, Dim b) =>
        (a - b - 1).IsNonNegative || (b - a - 1).IsNonNegative ? 0 : Known(a, b, sign => sign == 0);

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => Rules.Select(r => r.Definition);
    }
}
