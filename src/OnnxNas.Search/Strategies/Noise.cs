using OnnxNas.Ir;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Strategies;

/// <summary>The noise that turns logits into samples.</summary>
internal static class Noise
{
    /// <summary>
    /// A number for each candidate. Added to the logits, Gumbel noise makes the arg-max a sample of their softmax, and the n largest a sample of n without
    /// replacement; where any number may be chosen, logistic noise makes each sign a sample of its sigmoid (Maddison, Mnih, Teh 2017, §2 and appendix B).
    /// </summary>
    public static double[] For(Choice choice, SeededRandom random)
    {
        var noise = new double[choice.Candidates.Count];
        var isGated = choice is InputChoice { ChosenCount: 0 };
        for (var k = 0; k < noise.Length; k++)
        {
            var u = ((random.NextUInt64() >> 11) + 0.5) * (1.0 / (1UL << 53)); // In (0,1), the ends left out.
            noise[k] = isGated ? Math.Log(u) - Math.Log(1 - u) : -Math.Log(-Math.Log(u));
        }

        return noise;
    }
}
