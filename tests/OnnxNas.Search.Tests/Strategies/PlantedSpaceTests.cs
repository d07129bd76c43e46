namespace OnnxNas.Search.Tests.Strategies;

/// <summary>In one space plain darts collapses, and each guard prevents it. Three seeds: other weights, other samples.</summary>
[TestClass]
public sealed class PlantedSpaceTests
{
    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void Skips_alone_are_far_worse_than_the_nets_they_push_out(int seed) =>
        Assert.IsGreaterThan(3 * PlantedSpace.Alone(1, seed), PlantedSpace.Alone(0, seed));

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void Plain_darts_collapses(int seed) => Assert.AreEqual(PlantedSpace.Choices, PlantedSpace.Search(seed).Skips);

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void An_auxiliary_skip_does_what_skips_are_wanted_for(int seed) =>
        Assert.IsLessThanOrEqualTo(1, PlantedSpace.Search(seed, o => o with { AuxiliarySkip = true }).Skips);

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void The_eigenvalue_stop_returns_what_was_before_the_collapse(int seed)
    {
        var (skips, epochs) = PlantedSpace.Search(seed, o => o with { EigenvalueStop = true });
        Assert.IsLessThanOrEqualTo(1, skips);
        Assert.IsLessThan(PlantedSpace.Epochs, epochs);
    }

    [TestMethod]
    [DataRow(1), DataRow(2), DataRow(3)]
    public void A_cap_is_kept(int seed) => Assert.AreEqual(1, PlantedSpace.Search(seed, o => o with { MaxSkips = 1 }).Skips);
}
