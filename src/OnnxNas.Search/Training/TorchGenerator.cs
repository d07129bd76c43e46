using OnnxNas.Ir;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Libtorch's own generator, which dropout draws from.</summary>
internal static class TorchGenerator
{
    /// <summary>Makes what is drawn next a function of the seed and the step alone, so that a resumed search draws the same.</summary>
    public static void Seed(long seed, long stream, int step) => manual_seed(unchecked((long)new SeededRandom(seed, stream, step).NextUInt64()));
}
