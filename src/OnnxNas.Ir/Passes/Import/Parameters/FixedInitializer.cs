namespace OnnxNas.Ir.Passes.Import;

/// <summary>A constant of the model that training leaves as it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Elements">How many numbers it holds.</param>
/// <param name="Reason">Why it is not trained.</param>
/// <param name="MayBeMeant">Whether its author may take it for a parameter, so that it should be said without being asked.</param>
public sealed record FixedInitializer(string Name, ElementType Type, long Elements, string Reason, bool MayBeMeant);
