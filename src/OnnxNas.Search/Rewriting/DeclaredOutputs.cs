using OnnxNas.Ir;

namespace OnnxNas.Search.Rewriting;

/// <summary>
/// The types a file declares for its outputs. Inference refines them (a number for a symbol), but a plain model has the outputs of the marked one.
/// </summary>
public sealed class DeclaredOutputs
{
    private readonly Graph graph;
    private readonly OnnxType?[] types;

    /// <summary>Remembers the types as they are now.</summary>
    public DeclaredOutputs(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        this.graph = graph;
        types = [.. graph.Outputs.Select(o => o.Type)];
    }

    /// <summary>Puts them back. An output that had none keeps the inferred one.</summary>
    public void Restore()
    {
        for (var i = 0; i < types.Length; i++)
            graph.Outputs[i].Type = types[i] ?? graph.Outputs[i].Type;
    }
}
