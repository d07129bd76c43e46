using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Costs;

/// <summary>Small marked models whose costs tests know.</summary>
internal static class CostNets
{
    public static readonly Dim N = Dim.Symbol("N");

    /// <summary>
    /// Choices in a row, one nested in a candidate of another, three markers of one label of which one stands inside that label's own candidate, an InputChoice of one
    /// input. No part dies by two decisions together.
    /// </summary>
    public static Model Chained()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var inner = net.LayerChoice("inner", null, Bottleneck(net, "small", x, 5), Bottleneck(net, "large", x, 50), x);
        var outer = net.LayerChoice("outer", null, Bottleneck(net, "plain", x, 30), inner);
        var first = net.LayerChoice("tied", null, Bottleneck(net, "tied0", outer, 7), outer);
        var deep = net.LayerChoice("deep", null, Bottleneck(net, "deep0", first, 11), Bottleneck(net, "deep1", first, 2));
        var own = net.LayerChoice("tied", null, Bottleneck(net, "tied4", first, 17), Bottleneck(net, "tied5", first, 19));
        var second = net.LayerChoice("tied", null, Bottleneck(net, "tied2", deep, 13), Bottleneck(net, "tied3", own, 3));
        return net.Build((net.InputChoice("pick", 1, "sum", Bottleneck(net, "pick0", second, 9), Bottleneck(net, "pick1", second, 4), second), [N, 4]));
    }

    /// <summary>A cell: the middle node is read by two choices, each of which may leave it out.</summary>
    public static Model Cell()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var middle = net.LayerChoice("in", null, Bottleneck(net, "in0", x, 20), x);
        var end = net.Op("Add", net.LayerChoice("left", null, Bottleneck(net, "left0", middle, 3), x), net.LayerChoice("right", null, Bottleneck(net, "right0", middle, 8), x));
        return net.Build((end, [N, 4]));
    }

    /// <summary>Choices of five widths in a row.</summary>
    public static Model Row(int count)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        for (var i = 0; i < count; i++)
        {
            var before = x;
            x = net.LayerChoice($"c{i}", null, [.. Enumerable.Range(0, 5).Select(k => Bottleneck(net, $"c{i}.{k}", before, 1 + (7 * k + 3 * i) % 23))]);
        }

        return net.Build((x, [N, 4]));
    }

    public static Value Bottleneck(NetBuilder net, string name, Value x, long width) => net.Linear($"{name}.up", net.Linear($"{name}.down", x, 4, width), width, 4);

    public static ModelCost CostOf(Model marked)
    {
        _ = TypesOf(marked);
        return new(SearchSpace.Read(marked));
    }

    /// <summary>The types of a model whose constants are made weights first.</summary>
    public static InferenceResult TypesOf(Model marked)
    {
        new PassManager([new LiftConstants()]).Run(marked);
        return ShapeInference.Run(marked, SupernetOperators.Registry);
    }

    /// <summary>Probabilities of every choice, the same for the same seed.</summary>
    public static Dictionary<string, double[]> Probabilities(SearchSpace space, long seed)
    {
        var random = new SeededRandom(seed);
        return space.Choices.ToDictionary(c => c.Label, c =>
        {
            var powers = c.Candidates.Select(_ => Math.Exp(1.5 * random.NextGaussian())).ToArray();
            return c is InputChoice { ChosenCount: 0 } ? [.. powers.Select(e => e / (1 + e))] : powers.Select(e => e / powers.Sum()).ToArray();
        });
    }
}
