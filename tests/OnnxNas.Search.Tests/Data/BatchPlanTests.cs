using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class BatchPlanTests
{
    [TestMethod]
    public void An_epoch_visits_every_sample_once()
    {
        var plan = new BatchPlan(10, 4, seed: 1);
        var batches = plan.Batches(0).ToArray();
        Assert.HasCount(plan.BatchesPerEpoch, batches);
        CollectionAssert.AreEqual(new[] { 4, 4, 2 }, batches.Select(b => b.Length).ToArray());
        CollectionAssert.AreEquivalent(Enumerable.Range(0, 10).ToArray(), batches.SelectMany(b => b).ToArray());
    }

    [TestMethod]
    public void A_short_last_batch_may_be_dropped()
    {
        Assert.AreEqual(2, new BatchPlan(10, 4, 1, dropLast: true).Batches(0).Count());
        Assert.AreEqual(3, new BatchPlan(12, 4, 1, dropLast: true).BatchesPerEpoch);
        StringAssert.Contains(Assert.ThrowsExactly<DataException>(() => new BatchPlan(3, 4, 1, dropLast: true)).Message, "3 samples do not fill one batch of 4");
    }

    [TestMethod]
    public void An_order_depends_on_seed_and_epoch_alone()
    {
        var plan = new BatchPlan(100, 7, seed: 1);
        var third = plan.Order(3);
        plan.Order(0);
        CollectionAssert.AreEqual(third, new BatchPlan(100, 20, seed: 1).Order(3));
        CollectionAssert.AreNotEqual(third, plan.Order(4));
        CollectionAssert.AreNotEqual(third, new BatchPlan(100, 7, seed: 2).Order(3));
    }
}
