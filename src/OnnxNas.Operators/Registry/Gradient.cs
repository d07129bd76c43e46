namespace OnnxNas.Operators;

/// <summary>What backpropagation gets from an operator.</summary>
/// <param name="Kind">Whether it is a derivative.</param>
/// <param name="Reason">Why it is none, or what stands for it; "" for a derivative.</param>
public sealed record Gradient(GradientKind Kind, string Reason = "")
{
    /// <summary>The derivative by every input of floating-point numbers.</summary>
    public static Gradient Derivative { get; } = new(GradientKind.Derivative);

    /// <summary>No gradient, for a reason: the results are integers, or constant between steps.</summary>
    public static Gradient None(string reason) => new(GradientKind.None, reason);

    /// <summary>In place of a derivative that is 0 almost everywhere, one that training can use.</summary>
    public static Gradient StraightThrough(string reason) => new(GradientKind.StraightThrough, reason);
}

/// <summary>Kinds of gradients.</summary>
public enum GradientKind
{
    /// <summary>The derivative; tests compare it with finite differences.</summary>
    Derivative,

    /// <summary>A stand-in for the derivative.</summary>
    StraightThrough,

    /// <summary>None.</summary>
    None,
}
