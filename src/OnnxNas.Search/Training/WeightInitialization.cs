using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Training;

/// <summary>Draws fresh weights for a plain model.</summary>
public static class WeightInitialization
{
    /// <summary>As <see cref="Reset(Model, SeededRandom)"/>, drawn by a seed.</summary>
    public static void Reset(Model model, long seed) => Reset(model, new SeededRandom(seed, RandomStreams.InitialWeights));

    /// <summary>
    /// Convolution and matrix weights and their biases uniform in ±1/√fan-in (He et al. 2015 with a = √5, PyTorch's default), norm scales 1,
    /// norm biases 0, running means 0 and variances 1. Other parameters keep their values.
    /// </summary>
    public static void Reset(Model model, SeededRandom random)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(random);
        var graph = model.Graph;
        var done = new HashSet<Value>();
        foreach (var node in graph.Nodes)
        {
            switch (node.OpType)
            {
                case "Conv" or "ConvTranspose" or "Gemm" or "MatMul":
                    var weight = node.Inputs.Skip(node.OpType == "MatMul" ? 0 : 1).FirstOrDefault(v => v is not null && ParameterSources.Of(v).Count == 1);
                    if (weight is null)
                        break;
                    var source = ParameterSources.Of(weight)[0];
                    var bound = 1 / Math.Sqrt(Math.Max(1, FanIn(node, weight.Initializer?.Dims ?? weight.Shape?.ToLongs() ?? source.Initializer?.Dims ?? [1])));
                    Set(source, _ => bound * (2 * random.NextDouble() - 1));
                    Set(node.OpType == "MatMul" ? null : node.Input(2), _ => bound * (2 * random.NextDouble() - 1));
                    break;
                case "BatchNormalization" or "InstanceNormalization" or "LayerNormalization" or "GroupNormalization":
                    Set(node.Input(1), _ => 1);
                    Set(node.Input(2), _ => 0);
                    Set(node.OpType == "BatchNormalization" ? node.Input(3) : null, _ => 0);
                    Set(node.OpType == "BatchNormalization" ? node.Input(4) : null, _ => 1);
                    break;
            }
        }

        void Set(Value? value, Func<int, double> draw)
        {
            if (value?.Initializer is not { } data || !done.Add(value))
                return;
            graph.SetInitializer(value, data.Type switch
            {
                ElementType.Float32 => TensorData.Create<float>(data.Dims, [.. Enumerable.Range(0, (int)data.ElementCount).Select(i => (float)draw(i))]),
                ElementType.Float64 => TensorData.Create<double>(data.Dims, [.. Enumerable.Range(0, (int)data.ElementCount).Select(draw)]),
                _ => data,
            });
        }
    }

    private static double FanIn(Node node, IReadOnlyList<long> dims) => node.OpType switch
    {
        "Conv" => dims.Skip(1).Aggregate(1.0, (a, b) => a * b),
        "ConvTranspose" => dims.Skip(1).Aggregate(1.0, (a, b) => a * b),
        "Gemm" => node.Attribute("transB")?.AsInt() == 1 ? dims[^1] : dims[0],
        _ => dims.Count > 1 ? dims[^2] : dims[0],
    };
}
