using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Rewriting;

[TestClass]
public sealed class CandidateKindsTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void Zeros_and_identities_are_recognised_whatever_they_are_called_and_however_they_are_written()
    {
        var net = new NetBuilder();
        var x = net.Op("Relu", net.Input("x", N, 4));
        (Value Value, CandidateKind Kind)[] cases =
        [
            (net.Linear("l", x, 4, 4), CandidateKind.Operation),
            (net.Op("Mul", x, net.Constant("z", [], _ => 0)), CandidateKind.Zero),
            (net.Op("Sub", x, x), CandidateKind.Zero),
            (net.Op("Tanh", net.Op("Mul", net.Constant("z1", [1], _ => 0), x)), CandidateKind.Zero),
            (net.Op("Sub", x, net.Op("Neg", x)), CandidateKind.Operation),
            (x, CandidateKind.Identity),
            (net.Op("Identity", x), CandidateKind.Identity),
            (net.Op("Mul", x, net.Constant("one", [], _ => 1)), CandidateKind.Identity),
            (net.Op("Add", net.Op("Identity", x), net.Constant("nothing", [], _ => 0)), CandidateKind.Identity),
            (net.Op("Mul", x, net.Constant("two", [], _ => 2)), CandidateKind.Operation),
            // Zero and one now, but trained.
            (net.Op("Mul", x, net.Constant("gain", [4], _ => 0)), CandidateKind.Operation),
            (net.Op("Mul", x, net.Constant("ones", [4], _ => 1)), CandidateKind.Operation),
            (net.Op("Tanh", x), CandidateKind.Operation),
        ];
        string[] misleading = [.. cases.Select((_, k) => k % 2 == 0 ? $"skip_connect{k}" : $"none{k}")];
        var model = net.Build((net.LayerChoice("op", misleading, [.. cases.Select(c => c.Value)]), [N, 4]));
        var space = SearchSpace.Read(model);
        CollectionAssert.AreEqual(cases.Select(c => c.Kind).ToArray(), new CandidateKinds(space)[space["op"]].ToArray());
    }

    [TestMethod]
    public void A_kind_holds_for_all_markers_of_a_label()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var first = net.LayerChoice("op", null, net.Op("Tanh", x), x, net.Op("Sub", x, x));
        var second = net.LayerChoice("op", null, net.Op("Relu", first), net.Op("Sin", first), net.Op("Sub", first, first));
        var space = SearchSpace.Read(net.Build((second, [N, 4])));
        CollectionAssert.AreEqual((CandidateKind[])[CandidateKind.Operation, CandidateKind.Operation, CandidateKind.Zero], new CandidateKinds(space)[space["op"]].ToArray());
    }

    [TestMethod]
    public void What_is_an_identity_of_one_node_only_is_none_where_candidates_start_at_two()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (a, b) = (net.Op("Tanh", x), net.Op("Sin", x));
        var space = SearchSpace.Read(net.Build((net.LayerChoice("op", null, a, b, x), [N, 4])));
        CollectionAssert.AreEqual((CandidateKind[])[CandidateKind.Operation, CandidateKind.Operation, CandidateKind.Identity], new CandidateKinds(space)[space["op"]].ToArray());
        var apart = new NetBuilder();
        var two = SearchSpace.Read(apart.Build((apart.LayerChoice("op", null, apart.Input("x", N, 4), apart.Input("y", N, 4)), [N, 4])));
        CollectionAssert.AreEqual((CandidateKind[])[CandidateKind.Operation, CandidateKind.Operation], new CandidateKinds(two)[two["op"]].ToArray());
    }

    [TestMethod]
    public void A_candidate_alone_or_beside_zeros_only_is_an_identity_where_it_is_what_these_or_others_start_from()
    {
        var net = new NetBuilder();
        var x = net.Op("Relu", net.Input("x", 2, 4));
        var row = net.Op("Tanh", net.LayerChoice("op_or_none", null, net.Linear("a", x, 4, 4), net.Op("Mul", x, net.Constant("z", [], _ => 0))));
        row = net.Op("Tanh", net.LayerChoice("skip_or_none", null, net.Op("Sub", row, row), net.Op("Identity", row)));
        row = net.Op("Tanh", net.LayerChoice("op", null, net.Linear("b", row, 4, 4)));
        var end = net.Op("Add", net.LayerChoice("skip", null, row), net.LayerChoice("op_or_constant", null, net.Linear("c", row, 4, 4), net.Constant("none", [2, 4], _ => 0)));
        var space = SearchSpace.Read(net.Build((end, [2, 4])));
        var kinds = new CandidateKinds(space);
        Assert.AreEqual(
            "op_or_none=Operation,Zero skip_or_none=Zero,Identity op=Operation skip=Identity op_or_constant=Operation,Operation",
            string.Join(' ', space.Choices.Select(c => $"{c.Label}={string.Join(',', kinds[c])}")));
    }

    [TestMethod]
    public void The_exported_benchmark_has_one_none_and_one_skip_an_edge()
    {
        var space = SearchSpace.Read(Ir.Serialization.OnnxFile.Read(RepositoryFiles.Shared("models/nb201-hard.onnx")));
        var kinds = new CandidateKinds(space);
        foreach (var choice in space.Choices)
        {
            Assert.AreEqual(CandidateKind.Zero, kinds[choice][choice.Candidates.ToList().IndexOf("none")], choice.Label);
            Assert.AreEqual(CandidateKind.Identity, kinds[choice][choice.Candidates.ToList().FindIndex(c => c.Contains("skip", StringComparison.Ordinal))], choice.Label);
            Assert.HasCount(2, kinds[choice].Where(k => k != CandidateKind.Operation), choice.Label);
        }
    }
}
