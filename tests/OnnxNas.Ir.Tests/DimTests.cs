namespace OnnxNas.Ir.Tests;

[TestClass]
public sealed class DimTests
{
    private const int LongestText = 2200; // Two operands at the limit, and what joins them.

    [TestMethod]
    [DataRow("(N+1)*(N+1)", "N*N+2*N+1")]
    [DataRow("(H-1)/2+1", "floor((H-1)/2)+1")]
    [DataRow("floor((2*N+4)/2)", "N+2")]
    [DataRow("a*b-b*a", "0")]
    [DataRow("min(N,N+3)*2", "2*N")]
    public void Expressions_of_ordinary_size_are_kept_as_sums_of_products(string text, string same) => Assert.AreEqual(Dim.Parse(same), Dim.Parse(text));

    [TestMethod]
    public void Values_agree_with_arithmetic_on_numbers()
    {
        var symbols = new Dictionary<string, long> { ["a"] = 7, ["b"] = 3, ["c"] = 5 };
        Assert.AreEqual((7 * 3 + 5) * (7 - 3) + 7 * 7 / 3, Dim.Parse("(a*b+c)*(a-b)+floor(a*a/b)").Evaluate(symbols));
        Assert.AreEqual(-3, Dim.FloorDiv(Dim.Parse("0-a"), 3).Evaluate(symbols));
        Assert.AreEqual(5, Dim.Min(Dim.Parse("a"), Dim.Parse("c")).Evaluate(symbols));
    }

    [TestMethod]
    public void Text_that_asks_for_an_endless_expression_is_a_symbol_of_that_name()
    {
        var sum = string.Join('+', Enumerable.Range(0, 60).Select(i => $"s{i}"));
        var nest = "q";
        for (var i = 0; i < 8; i++)
            nest = $"min(({nest}+a+b+c+d+e+f+g)*(aa+bb+cc+dd+ee+ff+gg+hh),z)";
        foreach (var text in (string[])
        [
            string.Join('+', Enumerable.Range(0, 20_000).Select(i => $"s{i}")),
            string.Join('*', Enumerable.Repeat("a", 20_000)),
            $"({sum})*({sum})",
            string.Join('*', Enumerable.Repeat("(a+b+c+d)", 12)),
            nest,
            new string('(', 5_000) + "N" + new string(')', 5_000),
            "N*9223372036854775808",
        ])
        {
            var dim = Dim.Parse(text);
            Assert.AreEqual(text, dim.ToString());
            Assert.AreEqual(text, dim.Symbols().Single());
            Assert.IsTrue(dim.Equals(Dim.Parse(text)));
        }
    }

    [TestMethod]
    public void Arithmetic_that_would_grow_without_end_gives_the_unknown()
    {
        foreach (var (start, step) in new (string, Func<Dim, Dim>)[]
        {
            ("N", d => d * d),
            ("a+b", d => d * d),
            ("N", d => d * Dim.Symbol("M") + Dim.Symbol("M")),
            ("N", d => Dim.Min(d * Dim.Symbol("b") + Dim.Symbol("c"), d + Dim.Symbol("e"))),
            ("N", d => Dim.FloorDiv(d * Dim.Symbol("b") + Dim.Symbol("c"), d + Dim.Symbol("e"))),
            ("N", d => Dim.CeilDiv(d + 1, d * d + 3)),
        })
        {
            var dim = Dim.Parse(start);
            var longest = 0;
            for (var i = 0; i < 2_000 && !dim.IsUnknown; i++)
            {
                dim = step(dim);
                longest = Math.Max(longest, dim.ToString().Length);
            }

            Assert.IsTrue(dim.IsUnknown, start);
            Assert.IsLessThan(LongestText, longest);
        }
    }

    [TestMethod]
    public void A_long_name_stays_a_name()
    {
        var name = new string('n', 40_000);
        Assert.AreEqual(name, Dim.Symbol(name).ToString());
        Assert.AreEqual(Dim.Symbol(name), Dim.Symbol(name) * 1 + 0);
        Assert.IsTrue((Dim.Symbol(name) * Dim.Symbol(name)).IsUnknown);
        Assert.IsTrue((Dim.Symbol(name) + 1).IsUnknown);
    }

    [TestMethod]
    public void Numbers_beyond_64_bits_are_unknown()
    {
        var n = Dim.Symbol("N");
        foreach (var dim in (Dim[])[Dim.Known(long.MaxValue) * 2, Dim.Known(long.MaxValue) + 1, Dim.Known(long.MinValue) * -1, n * long.MaxValue * 2, n * long.MaxValue + n, Dim.FloorDiv(long.MinValue, -1)])
            Assert.IsTrue(dim.IsUnknown, dim.ToString());
        Assert.AreEqual(long.MaxValue, (Dim.Known(long.MaxValue) * 1).Value);
        Assert.IsNull((n * n).Evaluate(new Dictionary<string, long> { ["N"] = long.MaxValue }));
        Assert.IsNull((n + n).Evaluate(new Dictionary<string, long> { ["N"] = long.MaxValue }));
        Assert.AreEqual("9223372036854775807", Dim.Parse("9223372036854775807").ToString());
    }
}
