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

    [TestMethod]
    public void Children_are_crosses_of_the_best_or_mutants_of_one_and_nothing_is_scored_twice() => CheckChildren((space, score, seed) =>
        new Evolution(20, 2, 2, 0.1).Run(space, score, new SeededRandom(seed)));

    [TestMethod]
    [DataRow(Fault.None)]
    [DataRow(Fault.NoCross), DataRow(Fault.CrossesAll), DataRow(Fault.MutatesAll), DataRow(Fault.MutatesTwiceAsMuch), DataRow(Fault.BreedsTheWorst), DataRow(Fault.ScoresTwice)]
    public void Mutants_of_evolution_are_seen(Fault fault)
    {
        void Check() => CheckChildren((space, score, seed) => Evolve(space, score, new SeededRandom(seed), fault));
        if (fault == Fault.None)
            Check();
        else
            Assert.Throws<AssertFailedException>(Check);
    }

    public enum Fault
    {
        None,
        NoCross,
        CrossesAll,
        MutatesAll,
        MutatesTwiceAsMuch,
        BreedsTheWorst,
        ScoresTwice,
    }

    // Two generations of twenty from the best two; of ten labels a mutation changes 10 · 0.1 · 2/3, and at least one.
    private static void CheckChildren(Action<SearchSpace, Func<Architecture, double>, long> evolve)
    {
        var space = Space(10);
        var (crossed, distances) = (0, new List<int>());
        for (var seed = 0; seed < 20; seed++)
        {
            var scored = new List<Architecture>();
            evolve(space, a => { scored.Add(a); return Weighted(a); }, seed);
            Assert.HasCount(40, scored);
            Assert.HasCount(40, scored.Distinct());
            var parents = scored.Take(20).OrderByDescending(Weighted).Take(2).ToList();
            var (p, q) = (parents[0], parents[1]);
            if (Distance(p, q) < 6)
                continue; // They have few crosses.
            for (var child = 20; child < 40; child++)
            {
                var (a, b) = (Distance(scored[child], p), Distance(scored[child], q));
                if (child % 2 == 1)
                {
                    distances.Add(Math.Min(a, b));
                    continue;
                }

                Assert.AreEqual(Distance(p, q), a + b, "A cross has each label of one of its parents.");
                Assert.IsGreaterThan(0, Math.Min(a, b));
                crossed += Math.Min(a, b) > 1 ? 1 : 0;
            }
        }

        Assert.IsGreaterThan(100, distances.Count);
        Assert.IsGreaterThan(distances.Count / 2, crossed, "Most crosses have several labels of either.");
        // 10 · q / (1 − (1 − q)^10), q = 0.1 · 2/3.
        Assert.AreEqual(1.338, distances.Average(), 0.25);
    }

    // Written down again, with one thing wrong.
    private static void Evolve(SearchSpace space, Func<Architecture, double> score, SeededRandom random, Fault fault)
    {
        var known = new List<Architecture>();
        for (var i = 0; i < 40; i++)
        {
            var ranked = known.Take(20).OrderByDescending(Weighted).ToList();
            List<Architecture> parents = i < 20 ? [] : fault == Fault.BreedsTheWorst ? ranked[^2..] : ranked[..2];
            Architecture next;
            var tries = 0;
            do
                next = i < 20 || tries++ == 20 ? Architecture.Random(space, random) : Child(parents, i);
            while (fault != Fault.ScoresTwice && known.Contains(next));
            known.Add(next);
            score(next);
        }

        Architecture Child(List<Architecture> parents, int i)
        {
            var (a, b, fresh) = (parents[random.NextInt(2)], parents[random.NextInt(2)], Architecture.Random(space, random));
            var isCross = (i % 2 == 0 || fault == Fault.CrossesAll) && fault != Fault.NoCross;
            var rate = fault switch { Fault.MutatesAll => 1, Fault.MutatesTwiceAsMuch => 0.2, _ => 0.1 };
            return new(space, space.Choices.ToDictionary(c => c.Label, c => (isCross ? random.NextInt(2) == 0 ? a : b : random.NextDouble() < rate ? fresh : a)[c.Label]));
        }
    }

    private static int Distance(Architecture a, Architecture b) => a.Selections.Count(s => s.Value[0] != b[s.Key][0]);

    // No two architectures have one score.
    private static double Weighted(Architecture architecture) => architecture.Selections.Values.Select((s, i) => s[0] * (1 + 1e-3 * Math.Pow(3, i) / 1e3)).Sum();

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
