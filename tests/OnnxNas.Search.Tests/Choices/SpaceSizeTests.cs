using System.Numerics;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Tests.Choices;

[TestClass]
public sealed class SpaceSizeTests
{
    [TestMethod]
    public void Subsets_are_counted_as_in_the_triangle_of_Pascal()
    {
        BigInteger[] row = [1];
        for (var n = 1; n <= 60; n++)
        {
            row = [1, .. row.Zip(row.Skip(1), (a, b) => a + b), 1];
            for (var k = 0; k <= n; k++)
            {
                var size = SpaceSize.Subsets(n, k);
                Assert.AreEqual(row[k], size.Exact);
                Assert.AreEqual(BigInteger.Log10(row[k]), size.Log10, 1e-9);
            }

            Assert.AreEqual(row.Aggregate(BigInteger.Add) - 1, SpaceSize.Subsets(n).Exact);
        }
    }

    [TestMethod]
    public void Sizes_beyond_the_digits_that_are_kept_are_known_by_their_logarithm()
    {
        var huge = SpaceSize.Subsets(1_000_000, 500_000);
        Assert.IsNull(huge.Exact);
        // Stirling: 4^k / √(πk).
        Assert.AreEqual(1_000_000 * Math.Log10(2) - Math.Log10(Math.PI * 500_000) / 2, huge.Log10, 1e-3);
        Assert.AreEqual("about 10^301026", huge.Digits);
        Assert.StartsWith("7.9e301026", huge.ToString());
        Assert.AreEqual("about 10^301029", SpaceSize.Subsets(1_000_000).Digits);
        Assert.IsFalse(huge.IsAtMost(long.MaxValue));
        Assert.IsNull((huge * SpaceSize.Of(1)).Exact);
        Assert.IsNotNull(SpaceSize.Subsets(33_000).Exact);
        Assert.AreEqual(9_999, SpaceSize.Of(BigInteger.Pow(10, 9_998)).Digits.Length);
    }

    [TestMethod]
    [DataRow("0", "0")]
    [DataRow("324", "324")]
    [DataRow("8999999999999999999", "8999999999999999999")]
    [DataRow("20000000000000000000", "2.0e19")]
    [DataRow("99990000000000000000000", "1.0e23")]
    [DataRow("123456000000000000000000000000000000000000", "1.2e41")]
    public void A_line_for_people_has_room_for_it(string number, string text) => Assert.AreEqual(text, SpaceSize.Of(BigInteger.Parse(number, null)).ToString());

    [TestMethod]
    public void Products_are_exact_and_compared_as_numbers()
    {
        var size = SpaceSize.Of(6) * SpaceSize.Subsets(3) * SpaceSize.Subsets(5, 2);
        Assert.AreEqual("420", size.Digits);
        Assert.IsTrue(size.IsAtMost(420));
        Assert.IsFalse(size.IsAtMost(419));
    }
}
