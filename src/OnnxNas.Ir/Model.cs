using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Ir;

/// <summary>An ONNX model: a graph, the operator sets it uses, model-local functions, and facts about its origin.</summary>
public sealed class Model(Graph graph)
{
    /// <summary>The main graph.</summary>
    public Graph Graph { get; } = graph;

    /// <summary>Version of the file format.</summary>
    public long IrVersion { get; set; } = 8;

    /// <summary>Operator sets: domain ("" for ai.onnx) to version.</summary>
    public IDictionary<string, long> OpsetImports { get; } = new OrderedDictionary<string, long>();

    /// <summary>The version of ai.onnx; 0 where not imported.</summary>
    public int Opset => OpsetImports.TryGetValue("", out var version) ? Narrow(version) : 0;

    /// <summary>The operator sets as the registry wants them.</summary>
    public IReadOnlyDictionary<string, int> OpsetVersions() => OpsetImports.ToDictionary(o => o.Key, o => Narrow(o.Value));

    /// <summary>Model-local functions, in the order of the file.</summary>
    public IList<Function> Functions { get; } = [];

    /// <summary>The tool that made the model.</summary>
    public string? ProducerName { get; set; }

    /// <summary>That tool's version.</summary>
    public string? ProducerVersion { get; set; }

    /// <summary>The model's namespace, as reversed domain name.</summary>
    public string? Domain { get; set; }

    /// <summary>The model's own version.</summary>
    public long? ModelVersion { get; set; }

    /// <summary>Text for the reader of the file.</summary>
    public string? DocString { get; set; }

    /// <summary>Key-value pairs of the file.</summary>
    public IDictionary<string, string> Metadata { get; } = new OrderedDictionary<string, string>();

    /// <summary>The file it was read from, or null.</summary>
    public string? Path { get; set; }

    /// <summary>What reading the file found and changed.</summary>
    public IReadOnlyList<Finding> Findings { get; init; } = [];

    /// <summary>A version in 32 bits. What does not fit is newer than all that there are, and stays so.</summary>
    internal static int Narrow(long version) => (int)Math.Clamp(version, 0, int.MaxValue);

    internal Google.Protobuf.IMessage? Residue { get; set; }
}
