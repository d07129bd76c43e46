namespace OnnxNas.Search;

/// <summary>Names the built-in strategies that use a setting; without it, every strategy may.</summary>
/// <param name="strategies">Their names.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UsedByAttribute(params string[] strategies) : Attribute
{
    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Strategies => strategies;
}
