using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;
using Rule = OnnxNas.Operators.Elementwise.BinaryOperator.Rule;

namespace OnnxNas.Operators.Elementwise;

/// <summary>Add, Sub, Mul, Div from version 6 on. Integers wrap around; integer Div truncates towards zero.</summary>
internal static class Arithmetic
{
    private static readonly Rule[] Rules =
    [
        new("Add", [6, 7, 13, 14], (a, b) => a.Plus(b)) { Elements = (a, b) => a + b, Trainable = true, Wraps = true },
        new("Sub", [6, 7, 13, 14], (a, b) => a - b) { Elements = (a, b) => a - b, Trainable = true, Wraps = true },
        new("Mul", [6, 7, 13, 14], (a, b) => a * b) { Elements = (a, b) => a * b, Trainable = true, Wraps = true },
        new("Div", [6, 7, 13, 14], Divide) { Elements = Quotient, Trainable = true, Divides = true },
    ];

    /// <summary>The truncated quotient of extents, where it can be told.</summary>
    public static Dim? Quotient(Dim a, Dim b)
    {
        if (b.ValueOrNull == 0)
            return null;
        if (a.IsKnown && b.IsKnown)
            return b.Value == -1 ? a * -1 : a.Value / b.Value;
        return a.IsNonNegative && b.IsNonNegative ? Dim.FloorDiv(a, b) : null;
    }

    private static Tensor Divide(Tensor a, Tensor b)
    {
        if (a.is_floating_point() || b.is_floating_point())
            return a / b;
        return Integers.SafeDivisor(b, out var minus) is { } divisor
            ? where(minus, -a, a.div(divisor, RoundingMode.trunc))
            : a.div(b, RoundingMode.trunc);
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => Rules.Select(r => r.Definition);
    }
}
