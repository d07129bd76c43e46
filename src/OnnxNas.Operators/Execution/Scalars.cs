using TorchSharp;

namespace OnnxNas.Operators.Execution;

/// <summary>Kept scalars.</summary>
public static class Scalars
{
    /// <summary>1.</summary>
    public static Scalar One { get; } = 1.ToScalar();
}
