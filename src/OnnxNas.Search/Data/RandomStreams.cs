namespace OnnxNas.Search.Data;

/// <summary>First stream numbers of <see cref="Ir.SeededRandom"/>: each purpose draws from its own, so that none shifts another.</summary>
internal static class RandomStreams
{
    public const long Split = 1;
    public const long BatchOrder = 2;
}
