using System.Text;

namespace OnnxNas.Ir.Tests;

[TestClass]
public sealed class PrintableTests
{
    [TestMethod]
    [DataRow("plain text, 'quoted'", "plain text, 'quoted'")]
    [DataRow("größe 名前 имя 🙂 e\u0301", "größe 名前 имя 🙂 e\u0301")]
    [DataRow("a\nb\r\tc", "a\\nb\\u000d\\u0009c")]
    [DataRow("\u001b[31mred\u0007\u009b", "\\u001b[31mred\\u0007\\u009b")]
    [DataRow("ex\u202Egnp.exe\u2066\u200f", "ex\\u202egnp.exe\\u2066\\u200f")]
    [DataRow("zero\u200bwidth\ufeff\u00ad", "zero\\u200bwidth\\ufeff\\u00ad")]
    [DataRow("line\u2028paragraph\u2029", "line\\u2028paragraph\\u2029")]
    [DataRow("hard\u00a0space\u3000", "hard\\u00a0space\\u3000")]
    [DataRow("filler\u3164\u115f\u2800\ufe0f", "filler\\u3164\\u115f\\u2800\\ufe0f")]
    [DataRow("tag\U000e0041\U000e0100", "tag\\U000e0041\\U000e0100")]
    public void What_is_not_seen_is_escaped_and_all_else_stays(string text, string expected) => Assert.AreEqual(expected, Printable.Line(text));

    [TestMethod]
    public void Half_a_character_is_escaped() => Assert.AreEqual("a\\ud83db\\ude42", Printable.Line("a\ud83db\ude42"));

    [TestMethod]
    public void No_character_of_Unicode_steers_a_terminal()
    {
        for (var i = 0; i <= 0x10FFFF; i++)
        {
            if (i is >= 0xD800 and <= 0xDFFF)
                continue;
            var line = Printable.Line(char.ConvertFromUtf32(i));
            foreach (var rune in line.EnumerateRunes())
            {
                var category = Rune.GetUnicodeCategory(rune);
                Assert.IsFalse(Rune.IsControl(rune) || category is System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator, $"U+{i:X}");
            }
        }
    }

    [TestMethod]
    public void Long_names_are_shortened_and_what_follows_them_is_kept()
    {
        var name = new string('n', 1_000_000);
        Assert.AreEqual(81, Printable.Text(name).Length);
        var message = Printable.Message($"Node Gemm '{name}' reads '{name}'. Sort the nodes.");
        Assert.IsLessThan(1000, message.Length);
        Assert.EndsWith("'. Sort the nodes.", message);
        message = Printable.Message($"Node {name} is wrong. Mend it.");
        Assert.IsLessThan(5000, message.Length);
        Assert.EndsWith("is wrong. Mend it.", message);
        // An apostrophe in the text shifts what is inside quotes; the length holds all the same.
        Assert.IsLessThan(5000, Printable.Message($"It's '{name}'.").Length);
        Assert.AreEqual("'a', 'b'", Printable.List(["a", "b"]));
        Assert.AreEqual("none", Printable.List([]));
        Assert.EndsWith("'11' and 88 more", Printable.List(Enumerable.Range(0, 100).Select(i => $"{i}")));
    }
}
