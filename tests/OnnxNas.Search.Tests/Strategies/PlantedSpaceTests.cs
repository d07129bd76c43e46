namespace OnnxNas.Search.Tests.Strategies;

/// <summary>Collapse, and what each guard does about it. Three seeds each: other weights, other samples.</summary>
[TestClass]
public sealed class PlantedSpaceTests
{
    // All but one of the choices, or more.
    private const int Most = PlantedSpace.Choices - 1;

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void Skips_alone_are_far_worse_than_the_candidates_they_push_out(int seed)
    {
        foreach (var space in new[] { PlantedSpace.SlowStart, PlantedSpace.Overfitting })
            Assert.IsGreaterThan(5 * space.Alone(1, seed), space.Alone(0, seed));
    }

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void Where_candidates_learn_slowly_plain_darts_collapses_and_the_auxiliary_skip_prevents_it(int seed)
    {
        var space = PlantedSpace.SlowStart;
        Assert.IsGreaterThanOrEqualTo(Most, space.Search(seed).Skips);
        Assert.IsLessThanOrEqualTo(1, space.Search(seed, o => o with { AuxiliarySkip = true }).Skips);
        Assert.AreEqual(1, space.Search(seed, o => o with { MaxSkips = 1 }).Skips);
    }

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void Where_candidates_overfit_plain_darts_collapses_and_the_eigenvalue_stop_returns_what_was_before(int seed)
    {
        var space = PlantedSpace.Overfitting;
        Assert.IsGreaterThanOrEqualTo(Most, space.Search(seed).Skips);
        var (skips, epochs) = space.Search(seed, o => o with { EigenvalueStop = true });
        Assert.IsLessThanOrEqualTo(1, skips);
        Assert.IsLessThan(space.Options.Epochs, epochs);
        Assert.AreEqual(1, space.Search(seed, o => o with { MaxSkips = 1 }).Skips);
    }
}
