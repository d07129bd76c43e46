namespace OnnxNas.Ir.Tests;

[TestClass]
public sealed class SeededRandomTests
{
    [TestMethod]
    public void The_numbers_are_those_of_the_authors_reference_code()
    {
        var random = SeededRandom.FromState([1, 2, 3, 4]);
        ulong[] expected = [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600, 16172922978634559625, 8476171486693032832];
        CollectionAssert.AreEqual(expected, expected.Select(_ => random.NextUInt64()).ToArray());
    }

    [TestMethod]
    public void The_state_is_filled_by_splitmix64() =>
        CollectionAssert.AreEqual(
            new ulong[] { 6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431 },
            new SeededRandom(1234567).State.ToArray());

    [TestMethod]
    public void Streams_differ_by_every_number_of_their_name()
    {
        ulong[] first = [.. new SeededRandom[] { new(1), new(2), new(1, 0), new(1, 1), new(1, 1, 0), new(1, 0, 1), new(2, 1) }.Select(r => r.NextUInt64())];
        CollectionAssert.AllItemsAreUnique(first);
        Assert.AreEqual(first[5], new SeededRandom(1, 0, 1).NextUInt64());
    }

    [TestMethod]
    public void A_state_read_is_taken_up_where_it_was()
    {
        var random = new SeededRandom(7);
        random.NextGaussian();
        var twin = SeededRandom.FromState([.. random.State]);
        Assert.AreEqual(random.NextGaussian(), twin.NextGaussian());
        Assert.ThrowsExactly<ArgumentException>(() => SeededRandom.FromState([0, 0, 0, 0]));
        Assert.ThrowsExactly<ArgumentException>(() => SeededRandom.FromState([1, 2, 3]));
    }

    [TestMethod]
    [DataRow(1)]
    [DataRow(7)]
    [DataRow(10)]
    public void Whole_numbers_are_uniform(int bound)
    {
        const int draws = 100_000;
        var counts = new int[bound];
        var random = new SeededRandom(3);
        for (var i = 0; i < draws; i++)
            counts[random.NextInt(bound)]++;
        // Six standard deviations of a binomial count.
        var p = 1.0 / bound;
        Assert.IsTrue(counts.All(c => Math.Abs(c - draws * p) <= 6 * Math.Sqrt(draws * p * (1 - p))), string.Join(',', counts));
        Assert.ThrowsExactly<ArgumentOutOfRangeException>(() => random.NextInt(0));
    }

    [TestMethod]
    public void Gaussians_have_the_moments_and_tails_of_the_normal_distribution()
    {
        const int draws = 200_000;
        var random = new SeededRandom(5);
        var values = Enumerable.Range(0, draws).Select(_ => random.NextGaussian()).ToArray();
        Assert.AreEqual(0, values.Average(), 6 / Math.Sqrt(draws));
        Assert.AreEqual(1, values.Average(v => v * v), 6 * Math.Sqrt(2.0 / draws));
        Assert.AreEqual(3, values.Average(v => v * v * v * v), 6 * Math.Sqrt(96.0 / draws));
        Assert.AreEqual(0.0455003, values.Count(v => Math.Abs(v) > 2) / (double)draws, 0.003);
    }

    [TestMethod]
    public void Gaussians_follow_the_polar_method_with_the_system_logarithm()
    {
        var (random, twin) = (new SeededRandom(9), new SeededRandom(9));
        for (var i = 0; i < 10_000; i++)
        {
            double u, s;
            do
            {
                u = 2 * twin.NextDouble() - 1;
                var v = 2 * twin.NextDouble() - 1;
                s = u * u + v * v;
            }
            while (s is 0 or >= 1);
            var expected = u * Math.Sqrt(-2 * Math.Log(s) / s);
            Assert.AreEqual(expected, random.NextGaussian(), 1e-14 * Math.Max(1, Math.Abs(expected)));
        }
    }

    [TestMethod]
    public void Every_order_comes_equally_often_from_a_shuffle()
    {
        var random = new SeededRandom(11);
        var counts = new Dictionary<string, int>();
        for (var i = 0; i < 24_000; i++)
        {
            char[] items = ['a', 'b', 'c', 'd'];
            random.Shuffle<char>(items);
            var key = new string(items);
            counts[key] = counts.GetValueOrDefault(key) + 1;
        }

        Assert.HasCount(24, counts);
        Assert.IsTrue(counts.Values.All(c => Math.Abs(c - 1000) < 200), string.Join(',', counts.Values));
    }
}
