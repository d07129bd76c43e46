using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Training;

/// <summary>Draws fresh weights for a plain model.</summary>
public static class WeightInitialization
{
    /// <summary>As <see cref="Reset(Model, SeededRandom)"/>, drawn by a seed.</summary>
    public static void Reset(Model model, long seed) => Reset(model, new SeededRandom(seed, RandomStreams.InitialWeights));

    /// <summary>
    /// Convolution and matrix weights and their biases uniform in ±1/√fan-in (He et al. 2015 with a = √5, PyTorch's default), norm scales 1,
    /// norm biases 0, running means 0 and variances 1. Other parameters (gates, temperatures, class tokens, tables, recurrent weights) keep their values, and so does what is not trained.
    /// </summary>
    public static void Reset(Model model, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(random);
        var graph = model.Graph;
        var done = new HashSet<Value>();
        TrainingDecision.Ensure(model, OperatorRegistry.Default);
        foreach (var node in Nodes(graph))
        {
            switch (node.OpType)
            {
                case "Conv" or "ConvTranspose" or "Gemm" or "MatMul" or "Einsum":
                    var weight = node.Inputs.Skip(node.OpType is "MatMul" or "Einsum" ? 0 : 1).FirstOrDefault(v => v is not null && ParameterSources.Of(v).Count == 1);
                    if (weight is null)
                        break;
                    var source = ParameterSources.Of(weight)[0];
                    var bound = 1 / Math.Sqrt(Math.Max(1, FanIn(node, weight.Initializer?.Dims ?? weight.Shape?.ToLongs() ?? source.Initializer?.Dims ?? [1])));
                    Set(source, _ => bound * (2 * random.NextDouble() - 1));
                    Set(node.OpType is "MatMul" or "Einsum" ? null : node.Input(2), _ => bound * (2 * random.NextDouble() - 1));
                    break;
                case "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "GroupNormalization":
                    Set(node.Input(1), _ => 1);
                    Set(node.Input(2), _ => 0);
                    Set(node.OpType == "BatchNormalization" ? node.Input(3) : null, _ => 0, isStatistic: true);
                    Set(node.OpType == "BatchNormalization" ? node.Input(4) : null, _ => 1, isStatistic: true);
                    break;
            }
        }

        void Set(Value? value, Func<int, double> draw, bool isStatistic = false)
        {
            if (value?.Initializer is not { } data || !(value.Trains == true || isStatistic) || !done.Add(value))
                return;
            graph.SetInitializer(value, data.Type switch
            {
                ElementType.Float32 => TensorData.Create<float>(data.Dims, [.. Enumerable.Range(0, (int)data.ElementCount).Select(i => (float)draw(i))]),
                ElementType.Float64 => TensorData.Create<double>(data.Dims, [.. Enumerable.Range(0, (int)data.ElementCount).Select(draw)]),
                _ => data,
            });
        }
    }

    private static IEnumerable<Node> Nodes(Graph graph) => graph.Nodes.SelectMany(n => n.Subgraphs.SelectMany(Nodes).Prepend(n));

    // How many products an element of the result adds up: the extents of the weight's axes that the result lacks.
    private static double Contracted(Node node, IReadOnlyList<long> dims)
    {
        var sides = node.Attribute("equation")!.AsString().Replace(" ", "", StringComparison.Ordinal).Split("->");
        var term = sides[0].Split(',').FirstOrDefault(t => t.Length == dims.Count && !t.Contains('.', StringComparison.Ordinal)) ?? "";
        return term.Zip(dims).Where(p => !sides[^1].Contains(p.First, StringComparison.Ordinal)).Aggregate(1.0, (a, p) => a * p.Second);
    }

    private static double FanIn(Node node, IReadOnlyList<long> dims) => node.OpType switch
    {
        "Conv" => dims.Skip(1).Aggregate(1.0, (a, b) => a * b),
        "ConvTranspose" => dims.Skip(1).Aggregate(1.0, (a, b) => a * b),
        "Einsum" => Contracted(node, dims),
        "Gemm" => node.Attribute("transB")?.AsInt() == 1 ? dims[^1] : dims[0],
        _ => dims.Count > 1 ? dims[^2] : dims[0],
    };
}
