using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Strategies;

[TestClass]
public sealed class EvolutionTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_small_space_ends_up_enumerated_and_each_architecture_is_scored_once()
    {
        var space = Space(3);
        var seen = new List<Architecture>();
        var ranked = new Evolution(10, 30, 3, 0.3).Run(space, a => { seen.Add(a); return Value(a); }, new SeededRandom(1));
        Assert.HasCount(27, ranked);
        Assert.HasCount(27, seen.Distinct());
        CollectionAssert.AreEqual(ranked.Select(r => Value(r.Architecture)).OrderDescending().ToArray(), ranked.Select(r => r.Score).ToArray());
    }

    [TestMethod]
    public void A_large_space_is_climbed_to_its_top_with_far_fewer_scores_and_better_than_drawing_as_many()
    {
        var space = Space(10); // 59049 architectures, one of which is best.
        var (evolved, drawn) = (0, 0);
        for (var seed = 0; seed < 10; seed++)
        {
            var ranked = new Evolution(50, 20, 10, 0.1).Run(space, Value, new SeededRandom(seed));
            Assert.IsLessThanOrEqualTo(1000, ranked.Count);
            evolved += ranked[0].Score == 20 ? 1 : 0;
            var random = new SeededRandom(seed, 9);
            drawn += Enumerable.Range(0, ranked.Count).Any(_ => Value(Architecture.Random(space, random)) == 20) ? 1 : 0;
        }

        Assert.IsGreaterThanOrEqualTo(9, evolved);
        Assert.IsLessThanOrEqualTo(2, drawn);
    }

    // Known optimum: candidate 2 everywhere.
    private static double Value(Architecture architecture) => architecture.Selections.Values.Sum(s => s[0]);

    private static SearchSpace Space(int labels)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = x;
        for (var i = 0; i < labels; i++)
            y = net.LayerChoice($"l{i}", null, net.Op("Tanh", y), net.Op("Relu", y), net.Op("Sigmoid", y));
        return SearchSpace.Read(net.Build((y, [N, 4])));
    }
}
