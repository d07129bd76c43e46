using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Tests.Checkpoints;

[TestClass]
public sealed class CheckpointerTests
{
    [TestMethod]
    public void Every_part_is_saved_and_gets_its_own_back()
    {
        CheckpointState? kept = null;
        var first = new Checkpointer(s => kept = s);
        first.Add("a", new Number(1));
        first.Add("b", new Number(2));
        first.Save();
        var (a, b, c) = (new Number(0), new Number(0), new Number(3));
        var second = new Checkpointer(s => kept = s, kept);
        second.Add("b", b);
        second.Add("c", c);
        second.Add("a", a);
        Assert.AreEqual((1L, 2L, 3L), (a.Value, b.Value, c.Value));
    }

    [TestMethod]
    public void No_checkpoint_is_made_while_a_part_of_the_resumed_one_is_still_to_come()
    {
        CheckpointState? kept = null;
        var first = new Checkpointer(s => kept = s);
        first.Add("search", new Number(1));
        first.Add("retrain", new Number(2));
        first.Save();
        var (resumed, saves) = (kept, 0);
        var second = new Checkpointer(_ => saves++, resumed);
        second.Add("search", new Number(0));
        second.Save();
        Assert.AreEqual(0, saves);
        second.Add("retrain", new Number(0));
        second.Save();
        Assert.AreEqual(1, saves);
    }

    [TestMethod]
    public void A_frozen_part_is_saved_as_it_was_then()
    {
        CheckpointState? kept = null;
        var checkpointer = new Checkpointer(s => kept = s);
        var (part, other) = (new Number(1), new Number(1));
        checkpointer.Add("part", part);
        checkpointer.Add("other", other);
        checkpointer.Freeze("part");
        (part.Value, other.Value) = (2, 2);
        checkpointer.Save();
        checkpointer.Save();
        Assert.AreEqual(1, kept!.Section("part").Section("deep").GetInt64("value"));
        CollectionAssert.AreEqual((double[])[1], kept.Section("part").Section("deep").GetDoubles("values"));
        Assert.AreEqual(2, kept.Section("other").Section("deep").GetInt64("value"));
    }

    [TestMethod]
    public void A_stop_is_saved_first_and_only_when_it_is_asked_for()
    {
        var saves = 0;
        var checkpointer = new Checkpointer(_ => saves++);
        checkpointer.StopIfAsked(default);
        Assert.AreEqual(0, saves);
        Assert.Throws<OperationCanceledException>(() => checkpointer.StopIfAsked(new(canceled: true)));
        Assert.AreEqual(1, saves);
    }

    [TestMethod]
    public void Work_without_epochs_is_saved_when_some_time_has_passed()
    {
        var saves = 0;
        var idle = new Checkpointer(_ => saves++) { Pause = TimeSpan.FromHours(1) };
        idle.SaveNowAndThen();
        Assert.AreEqual(0, saves);
        var busy = new Checkpointer(_ => saves++) { Pause = TimeSpan.Zero };
        busy.SaveNowAndThen();
        Assert.AreEqual(1, saves);
    }

    private sealed class Number(long value) : ICheckpointed
    {
        public long Value { get; set; } = value;

        public void Save(CheckpointState state)
        {
            state.Section("deep").Put("value", Value);
            state.Section("deep").Put("values", (double[])[Value]);
        }

        public void Restore(CheckpointState state)
        {
            Value = state.Section("deep").GetInt64("value");
            CollectionAssert.AreEqual((double[])[Value], state.Section("deep").GetDoubles("values"));
        }
    }
}
