namespace OnnxNas.Ir.Inference;

/// <summary>Numbers that an input can be tried with.</summary>
/// <param name="Least">The least.</param>
/// <param name="Most">The greatest.</param>
/// <param name="OfFloats">Whether floats are bound by it too, and not whole numbers only.</param>
public readonly record struct ValueRange(double Least, double Most, bool OfFloats = false);
