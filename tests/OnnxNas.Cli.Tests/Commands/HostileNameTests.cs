using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Labels, candidates and values whose names are paths, mark-up or more than a line.</summary>
[TestClass]
public sealed class HostileNameTests
{
    private static readonly string[] Names = ["../../up", "/etc/passwd", "C:\\x", "<script>alert(1)</script>", "a\nb,\"c\"", "\u202Eevil\u200b", "{{x}}[red]", "con", "."];

    [TestMethod]
    public void Names_are_text_and_neither_paths_nor_mark_up_nor_commands_to_a_terminal()
    {
        using var bench = new Workbench();
        bench.Classifier();
        foreach (var name in Names)
        {
            var net = new NetBuilder();
            var x = net.Input("x", Dim.Symbol("N"), 4);
            var choice = net.LayerChoice(name, [name, name + "2"], net.Linear(name + "w", x, 4, 4), net.Op("Tanh", x));
            var model = bench.Save(net.Build((net.Linear("head", choice, 4, 2), [Dim.Symbol("N"), 2])));
            var before = bench.Listing;
            var (code, output, error) = Workbench.Run("search", model, "-o", bench["out"], "--epochs", "1", "--retrain-epochs", "0", "--batch-size", "8");
            Assert.AreEqual(0, code, error);
            CollectionAssert.AreEquivalent((string[])["arch.json", "best.onnx", "config.json", "history.csv", "ranking.json", "summary.json"], Directory.GetFileSystemEntries(bench["out"]).Select(f => Path.GetFileName(f)).ToArray());
            foreach (var args in (string[][])[["inspect", model], ["inspect", model, "--json"], ["prune", model, "--arch", bench["out/arch.json"], "-o", bench["pruned.onnx"]]])
            {
                var (next, more, problem) = Workbench.Run(args);
                Assert.AreEqual(0, next, problem);
                output += more;
            }

            Assert.DoesNotContain(c => char.IsControl(c) && c is not ('\n' or '\r'), output.ToCharArray(), name);
            File.Delete(bench["pruned.onnx"]);
            Directory.Delete(bench["out"], recursive: true);
            CollectionAssert.AreEqual(before, bench.Listing, name);
        }
    }

    [TestMethod]
    public void A_name_of_a_million_letters_makes_no_message_of_a_million_letters()
    {
        using var bench = new Workbench();
        bench.Classifier();
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var name = new string('n', 1_000_000);
        var model = bench.Save(net.Build((net.LayerChoice(name, null, x, net.Op("RegexFullMatch", x)), [Dim.Symbol("N"), 4])));
        var (code, output, error) = Workbench.Run("search", model, "-o", bench["out"]);
        Assert.AreEqual(1, code, error);
        Assert.IsLessThan(6000, (output + error).Length);
    }
}
