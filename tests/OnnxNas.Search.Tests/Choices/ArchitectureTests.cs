using System.Numerics;
using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Tests.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Choices;

[TestClass]
public sealed class ArchitectureTests
{
    private static readonly SearchSpace Space = SearchSpace.Read(Model());

    [TestMethod]
    public void Every_architecture_survives_its_file()
    {
        var all = OneHot.All(Space).ToList();
        Assert.HasCount(2 * 3 * 7, all);
        foreach (var architecture in all)
        {
            var again = Architecture.Parse(Space, architecture.ToJson());
            Assert.AreEqual(architecture, again);
            Assert.AreEqual(architecture.GetHashCode(), again.GetHashCode());
            Assert.AreEqual(architecture.ToJson(), again.ToJson());
        }

        Assert.HasCount(all.Count, all.Distinct());
    }

    [TestMethod]
    public void The_file_is_an_object_of_names_and_lists() => Assert.AreEqual(
        "{\n  \"layer\": \"<b>\",\n  \"two\": [\n    \"0\",\n    \"2\"\n  ],\n  \"any\": [\n    \"1\"\n  ]\n}\n",
        Architecture.Parse(Space, """{"any":["1"],"two":["2","0"],"layer":"<b>"}""").ToJson());

    [TestMethod]
    [DataRow("""{"layer":"a","two":["0","1"],"any":["0"],"more":"a"}""", "no choice 'more'")]
    [DataRow("""{"layer":"c","two":["0","1"],"any":["0"]}""", "no candidate 'c'")]
    [DataRow("""{"two":["0","1"],"any":["0"]}""", "nothing for choice 'layer'")]
    [DataRow("""{"layer":"a","layer":"<b>","two":["0","1"],"any":["0"]}""", "'layer' twice")]
    [DataRow("""{"layer":["a","<b>"],"two":["0","1"],"any":["0"]}""", "exactly one")]
    [DataRow("""{"layer":[],"two":["0","1"],"any":["0"]}""", "exactly one")]
    [DataRow("""{"layer":"a","two":["0"],"any":["0"]}""", "takes 2 of its inputs, got 1")]
    [DataRow("""{"layer":"a","two":["0","0"],"any":["0"]}""", "distinct")]
    [DataRow("""{"layer":"a","two":["0","1","2"],"any":["0"]}""", "takes 2 of its inputs, got 3")]
    [DataRow("""{"layer":"a","two":["0","1"],"any":[]}""", "at least one")]
    [DataRow("""{"layer":0,"two":["0","1"],"any":["0"]}""", "no JSON object")]
    [DataRow("""{"layer":null,"two":["0","1"],"any":["0"]}""", "'layer'")]
    [DataRow("""{"layer":{"a":1},"two":["0","1"],"any":["0"]}""", "no JSON object")]
    [DataRow("""{"layer":"a","two":[0,1],"any":["0"]}""", "no JSON object")]
    [DataRow("""{"layer":"a","two":[null,"1"],"any":["0"]}""", "'two'")]
    [DataRow("""{"layer":true,"two":["0","1"],"any":["0"]}""", "no JSON object")]
    [DataRow("""{"layer":"\ud800","two":["0","1"],"any":["0"]}""", "no JSON object")]
    [DataRow("""["a"]""", "no JSON object")]
    [DataRow("null", "no JSON object")]
    [DataRow("", "no JSON object")]
    [DataRow("""{"layer":"a" """, "no JSON object")]
    public void A_file_that_does_not_fit_is_refused_in_one_line(string json, string because)
    {
        var message = Assert.ThrowsExactly<ChoiceException>(() => Architecture.Parse(Space, json)).Message;
        Assert.Contains(because, message);
        Assert.DoesNotContain('\n', message);
    }

    [TestMethod]
    public void A_file_nested_deeper_than_json_allows_is_refused() =>
        Assert.ThrowsExactly<ChoiceException>(() => Architecture.Parse(Space, string.Concat(Enumerable.Repeat("[", 5000))));

    [TestMethod]
    public void Random_architectures_fit_and_reach_every_option_about_equally()
    {
        var random = new SeededRandom(1);
        var counts = new Dictionary<string, int>();
        const int draws = 4200;
        for (var i = 0; i < draws; i++)
        {
            var drawn = Architecture.Random(Space, random);
            counts[drawn.ToString()] = counts.GetValueOrDefault(drawn.ToString()) + 1;
        }

        // Chi-square with 41 degrees of freedom stays below 80 but for a chance of 0.0003.
        Assert.HasCount(42, counts);
        Assert.IsLessThan(80, counts.Values.Sum(c => Math.Pow(c - draws / 42.0, 2) / (draws / 42.0)));
        Assert.AreEqual(Architecture.Random(Space, new(9)), Architecture.Random(Space, new(9)));
    }

    [TestMethod]
    public void Scores_decide_and_the_first_of_equals_wins()
    {
        var scores = new Dictionary<string, double[]> { ["layer"] = [1, 1], ["two"] = [0, 2, 1], ["any"] = [0.1, 0.6, 0.7] };
        Assert.AreEqual("layer=a two=1,2 any=1,2", Architecture.FromScores(Space, c => scores[c.Label]).ToString());
        Assert.AreEqual("layer=a two=1,2 any=2", Architecture.FromScores(Space, c => scores[c.Label], threshold: 0.9).ToString());
    }

    [TestMethod]
    public void Selections_by_index_are_checked()
    {
        Dictionary<string, IReadOnlyList<int>> good = new() { ["layer"] = [1], ["two"] = [0, 1], ["any"] = [0] };
        Assert.AreEqual("layer=<b> two=0,1 any=0", new Architecture(Space, good).ToString());
        foreach (var (label, bad) in new (string, int[])[] { ("layer", [2]), ("layer", [-1]), ("two", [1, 0]), ("two", [0, 3]), ("any", []) })
            Assert.ThrowsExactly<ChoiceException>(() => new Architecture(Space, new Dictionary<string, IReadOnlyList<int>>(good) { [label] = bad }), $"{label} {string.Join(',', bad)}");
    }

    [TestMethod]
    public void The_size_of_a_huge_space_is_exact_and_takes_no_enumeration()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 4);
        var y = x;
        for (var i = 0; i < 200; i++)
            y = net.LayerChoice($"l{i}", null, [.. Enumerable.Repeat(y, 7)]);
        y = net.InputChoice("any", 0, "sum", [.. Enumerable.Repeat(y, 500)]);
        y = net.InputChoice("some", 250, "sum", [.. Enumerable.Repeat(y, 500)]);
        var binomial = Factorial(500) / (Factorial(250) * Factorial(250));
        Assert.AreEqual(BigInteger.Pow(7, 200) * (BigInteger.Pow(2, 500) - 1) * binomial, SearchSpace.Read(net.Build((y, [4]))).Size.Exact);
    }

    [TestMethod]
    [Timeout(20_000, CooperativeCancellation = true)]
    public void Forty_thousand_choices_are_read_and_decided_without_pain()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 4);
        var y = x;
        for (var i = 0; i < 40_000; i++)
            y = net.LayerChoice($"a label of some length {i}", null, y, y);
        var space = SearchSpace.Read(net.Build((y, [4])));
        var first = Architecture.First(space);
        Assert.AreEqual(first, Architecture.Parse(space, first.ToJson()));
    }

    private static BigInteger Factorial(int n) => Enumerable.Range(1, n).Aggregate(BigInteger.One, (a, b) => a * b);

    private static Model Model()
    {
        var net = new NetBuilder();
        var x = net.Input("x", 2, 4);
        Value[] three = [net.Op("Tanh", x), net.Op("Relu", x), x];
        var layer = net.LayerChoice("layer", ["a", "<b>"], three[0], three[1]);
        return net.Build((net.Op("Sum", layer, net.InputChoice("two", 2, "sum", three), net.InputChoice("any", 0, "mean", three)), [2, 4]));
    }
}
