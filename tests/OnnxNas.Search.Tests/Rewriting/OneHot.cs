using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Rewriting;

/// <summary>
/// The marked model with its decisions taken while it runs: an independent way to what pruning takes on the graph.
/// </summary>
internal static class OneHot
{
    /// <summary>Every architecture of a space, in order.</summary>
    public static IEnumerable<Architecture> All(SearchSpace space)
    {
        IEnumerable<Dictionary<string, IReadOnlyList<int>>> all = [[]];
        foreach (var choice in space.Choices)
            all = [.. all.SelectMany(a => Options(choice).Select(o => new Dictionary<string, IReadOnlyList<int>>(a) { [choice.Label] = o }))];
        return all.Select(a => new Architecture(space, a));
    }

    /// <summary>Every way to decide a choice.</summary>
    public static IEnumerable<IReadOnlyList<int>> Options(Choice choice)
    {
        for (var bits = 1; bits < 1 << choice.Candidates.Count; bits++)
        {
            int[] subset = [.. Enumerable.Range(0, choice.Candidates.Count).Where(i => (bits >> i & 1) == 1)];
            var wanted = choice is InputChoice input ? input.ChosenCount : 1;
            if (wanted == 0 || wanted == subset.Length)
                yield return subset;
        }
    }

    /// <summary>Runs the supernet one-hot in evaluation mode.</summary>
    public static List<TensorData> Run(Model marked, Architecture architecture, IReadOnlyDictionary<string, TensorData> feeds)
    {
        var supernet = marked.Clone();
        ChoiceRewriter.Select(SearchSpace.Read(supernet), architecture);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var module = new GraphModule(supernet, SupernetOperators.Registry);
        return [.. module.Forward(feeds.ToDictionary(f => f.Key, f => f.Value.ToTorch())).Select(t => t.ToTensorData())];
    }

    /// <summary>
    /// Prunes, checks that the file is plain, and that ONNX Runtime computes from it what the supernet does one-hot. Returns the plain model as read from its file.
    /// </summary>
    public static Model CheckPruned(Model marked, Architecture architecture, long seed = 3)
    {
        var plain = Pruner.Prune(marked, architecture);
        Pruner.Finish(plain);
        var bytes = OnnxFile.ToBytes(plain);
        var file = OnnxFile.Read(bytes);
        PlainModel.Check(file, marked, architecture.ToString());
        using var session = new OnnxSession(bytes, new() { Threads = 1 });
        var feeds = RandomInputs.For(marked, seed, batch: 3);
        var actual = session.Run(feeds);
        var expected = Run(marked, architecture, feeds);
        Assert.HasCount(expected.Count, actual);
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i]);
            Assert.IsTrue(result.Passed, $"{architecture}: output {i}: {result.Message}");
        }

        return file;
    }
}
