namespace OnnxNas.Search.Data;

/// <summary>First stream numbers of <see cref="Ir.SeededRandom"/>: each purpose draws from its own, so that none shifts another.</summary>
internal static class RandomStreams
{
    public const long Split = 1;
    public const long BatchOrder = 2;
    public const long InitialArchitecture = 3;
    public const long InitialWeights = 4;
    public const long Torch = 5;
    public const long Step = 6;
    public const long Strategy = 7;
    public const long TorchRetraining = 8;
    public const long Latency = 9;
    public const long TorchRecalibration = 10;
    public const long Baseline = 11;
}
