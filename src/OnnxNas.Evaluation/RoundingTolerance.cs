using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>
/// How much two correct runs of a graph may differ in an output beyond the float32 gate, since numbers on the way to it are rounded to a coarse type.
/// The rule, for the gate and for <c>verify</c> alike: each rounding moves a number by at most half a unit in the last place, and runtimes round in different places (ONNX Runtime
/// computes float16 in float32 and rounds less often). Roundings of n nodes in a row add up like √n of them. So max |a−b| ≤ gate + (2 + √n)·u·max |b| over the output, where u is the unit in
/// the last place relative to a number: 2⁻¹⁰ for float16, 2⁻⁷ for bfloat16 and for numbers quantised to 8 bits. Nothing is added where no node makes such numbers.
/// An output of 8-bit integers made of floats may differ by one step.
/// </summary>
public sealed class RoundingTolerance
{
    private readonly double unit;
    private readonly int roundings;
    private readonly bool isStepped;

    private RoundingTolerance(double unit, int roundings, bool isStepped) => (this.unit, this.roundings, this.isStepped) = (unit, roundings, isStepped);

    /// <summary>The tolerance of an output of a graph. The types of its values must have been inferred.</summary>
    public static RoundingTolerance Of(Value output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var (unit, roundings, isQuantized) = (0.0, 0, false);
        foreach (var node in Upstream(output))
        {
            var coarse = node.Outputs.Max(o => o is null ? 0 : Unit(node, o.Element));
            if (coarse == 0)
                continue;
            (unit, roundings) = (Math.Max(unit, coarse), roundings + 1);
            isQuantized |= node.Outputs.Any(o => o is not null && IsByte(o.Element));
        }

        return new(unit, roundings, isQuantized && IsByte(output.Element));
    }

    /// <summary>What two values of the output may differ by, whatever their size.</summary>
    /// <param name="expected">The output as one of the two runs has it.</param>
    /// <param name="gate">What they may differ by where nothing is rounded to a coarse type.</param>
    public double Absolute(TensorData expected, double gate = Parity.Gate)
    {
        ArgumentNullException.ThrowIfNull(expected);
        if (isStepped && IsByte(expected.Type))
            return Math.Max(1, gate);
        if (roundings == 0 || !expected.Type.IsFloatingPoint())
            return gate;
        var largest = expected.ToDoubles().Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        return gate + (2 + Math.Sqrt(roundings)) * unit * largest;
    }

    // A node that makes 8-bit integers of other integers rounds nothing.
    private static double Unit(Node node, ElementType made) => made switch
    {
        ElementType.Float16 => Math.Pow(2, -10),
        ElementType.BFloat16 => Math.Pow(2, -7),
        _ when IsByte(made) && node.Inputs.Any(i => i is not null && i.Element.IsFloatingPoint()) => Math.Pow(2, -7),
        _ => 0,
    };

    private static bool IsByte(ElementType type) => type is ElementType.Int8 or ElementType.UInt8;

    // The nodes an output is computed by, those in graphs that they hold included.
    private static HashSet<Node> Upstream(Value output)
    {
        var found = new HashSet<Node>();
        var open = new Stack<Value>([output]);
        while (open.TryPop(out var value))
        {
            if (value.Producer is not { } maker || !found.Add(maker))
                continue;
            foreach (var read in Graph.Reads(maker).Concat(maker.Subgraphs.SelectMany(g => g.Outputs)))
                open.Push(read);
        }

        return found;
    }
}
