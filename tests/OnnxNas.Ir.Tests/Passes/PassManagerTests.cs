using OnnxNas.Ir.Passes;

namespace OnnxNas.Ir.Tests.Passes;

[TestClass]
public sealed class PassManagerTests
{
    [TestMethod]
    public void The_report_counts_changes_per_pass_in_order()
    {
        var report = new PassManager([new Countdown(3), new RemoveDeadNodes()]).RunToFixpoint(new ModelBuilder().Model);
        CollectionAssert.AreEqual(new[] { new PassChanges("Countdown", 3), new PassChanges("RemoveDeadNodes", 0) }, report.Passes.ToArray());
        Assert.AreEqual(4, report.Rounds);
        Assert.AreEqual(3, report.Changes);
    }

    [TestMethod]
    public void Run_runs_each_pass_once()
    {
        var report = new PassManager([new Countdown(3)]).Run(new ModelBuilder().Model);
        Assert.AreEqual((1, 1), (report.Changes, report.Rounds));
    }

    [TestMethod]
    public void A_pass_that_never_settles_is_named()
    {
        var passes = new PassManager([new RemoveDeadNodes(), new Countdown(int.MaxValue)]);
        var error = Assert.ThrowsExactly<InvalidOperationException>(() => passes.RunToFixpoint(new ModelBuilder().Model));
        StringAssert.Contains(error.Message, "Countdown");
        Assert.DoesNotContain("RemoveDeadNodes", error.Message);
    }

    private sealed class Countdown(int changes) : Pass
    {
        private int left = changes;

        public override int Apply(Model model) => left-- > 0 ? 1 : 0;
    }
}
