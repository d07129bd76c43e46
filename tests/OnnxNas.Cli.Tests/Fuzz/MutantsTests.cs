using OnnxNas.Fuzz;
using OnnxNas.Fuzz.Mutations;
using OnnxNas.Fuzz.Parents;
using OnnxNas.Fuzz.Running;
using OnnxNas.Ir;

namespace OnnxNas.Cli.Tests.Fuzz;

[TestClass]
public sealed class MutantsTests
{
    // Enough for the rarest parts of a model to be drawn.
    private const int Draws = 2000;

    private static readonly IReadOnlyList<ParentModel> Parents = [.. ParentModel.All(null).DistinctBy(p => p.Name)];

    public static IEnumerable<object[]> Names => Mutation.Groups.SelectMany(g => g.Mutations).Select(m => new object[] { m.Kind, m.Name });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void A_mutation_changes_a_model_in_the_same_way_each_time(string kind, string name)
    {
        var mutation = Mutation.Groups.SelectMany(g => g.Mutations).Single(m => (m.Kind, m.Name) == (kind, name));
        for (var i = 0; i < Draws; i++)
        {
            var parent = Parents[i % Parents.Count];
            var before = parent.Bytes.ToArray();
            var changed = mutation.Apply(parent.Bytes, new SeededRandom(i));
            CollectionAssert.AreEqual(before, parent.Bytes, "The parent itself was changed.");
            if (changed is null || changed.AsSpan().SequenceEqual(before))
                continue;
            CollectionAssert.AreEqual(changed, mutation.Apply(parent.Bytes, new SeededRandom(i)));
            return;
        }

        Assert.Fail("It changed no model.");
    }

    [TestMethod]
    public void A_mutant_depends_on_seed_and_number_alone()
    {
        var (first, second, other) = (new MutantSource(1, Parents), new MutantSource(1, Parents), new MutantSource(2, Parents));

        var mutants = Enumerable.Range(0, 50).Select(i => first.Make(i)).ToList();

        foreach (var mutant in Enumerable.Reverse(mutants))
            CollectionAssert.AreEqual(mutant.Bytes, second.Make(mutant.Number).Bytes, mutant.ToString());
        Assert.IsTrue(mutants.All(m => m.Steps.Count > 0));
        Assert.IsTrue(mutants.All(m => !m.Bytes.AsSpan().SequenceEqual(m.Parent.Bytes)));
        Assert.IsTrue(mutants.Zip(Enumerable.Range(0, 50).Select(i => other.Make(i))).Any(p => !p.First.Bytes.AsSpan().SequenceEqual(p.Second.Bytes)));
    }

    [TestMethod]
    public void Parents_are_sound()
    {
        using var bench = new Workbench();
        foreach (var parent in Parents.Where(p => p.Files.Count == 0).Take(13))
        {
            File.WriteAllBytes(bench["net.onnx"], parent.Bytes);
            Assert.AreEqual(CommandLine.Done, Workbench.Run("verify", bench["net.onnx"]).Code, $"{parent.Name}: {Workbench.Run("verify", bench["net.onnx"]).Output}");
        }
    }

    [TestMethod]
    public void Verbs_are_judged_by_what_they_do()
    {
        using var bench = new Workbench();
        Directory.CreateDirectory(bench["run"]);
        using var verbs = new Verbs(bench["run"], isIsolated: false);
        var marked = Parents.Single(p => p.Name == "layer and input choices");
        var begun = new List<string>();

        var sound = verbs.Run(new(1, marked, marked.Bytes, []), begun.Add).ToList();
        var broken = verbs.Run(new(2, marked, marked.Bytes[..50], []), _ => { }).ToList();

        CollectionAssert.AreEqual(Verbs.All.ToArray(), begun);
        CollectionAssert.AreEqual(Verbs.All.ToArray(), sound.Select(v => v.Verb).ToArray());
        Assert.IsTrue(sound.All(v => v.Outcome == Outcome.Ok), string.Join("; ", sound));
        Assert.IsTrue(broken.All(v => v.Outcome == Outcome.Refused), string.Join("; ", broken));
    }

    [TestMethod]
    public void Findings_are_kept_with_their_files_and_the_others_counted()
    {
        using var bench = new Workbench();
        var source = new MutantSource(3, Parents);
        var log = new FindingLog(source, bench["out"], null);
        log.Add(source.Make(7), [new("inspect", Outcome.Ok, 1, 0, "", ""), new("stamp", Outcome.Refused, 1, 0, "no", "")]);
        Assert.IsFalse(log.HasFindings);
        log.Add(source.Make(8), [new("inspect", Outcome.Fault, 1, 0, "error: 'a' is 5", "here")]);
        log.Add(source.Make(9), [new("inspect", Outcome.Fault, 1, 0, "error: 'b' is 6", "here")]);
        log.Add(source.Make(10), [new("verify", Outcome.Hang, 1, 0, "", "")]);
        log.Ended(4, TimeSpan.FromSeconds(2));
        using var printed = new StringWriter();

        log.Print(printed, isDetailed: false);

        Assert.IsTrue(log.HasFindings);
        Assert.AreEqual(3, log.FindingCount);
        CollectionAssert.AreEqual(source.Make(8).Bytes, File.ReadAllBytes(bench["out/seed3-8/model.onnx"]));
        Assert.IsFalse(Directory.Exists(bench["out/seed3-9"]), "One file for a sort of finding.");
        Assert.Contains("FAULT inspect x2 at 8, 9", printed.ToString());
        Assert.Contains("HANG verify x1 at 10", printed.ToString());
        Assert.Contains("--seed 3 --only 8", printed.ToString());
        Assert.Contains("seed 3, 4 mutants in 2 s, 2.0 a second: 3 findings", printed.ToString());
    }
}
