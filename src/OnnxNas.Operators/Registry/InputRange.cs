using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators;

/// <summary>What an input is tried with that is no data, but a size, a step, a count, an axis or a divisor.</summary>
/// <param name="Input">The input's index.</param>
/// <param name="Least">The least number.</param>
/// <param name="Most">The greatest number.</param>
/// <param name="OfFloats">Whether floats are bound by it too.</param>
public readonly record struct InputRange(int Input, double Least, double Most, bool OfFloats = false)
{
    /// <summary>The numbers.</summary>
    public ValueRange Values => new(Least, Most, OfFloats);
}
