using OnnxNas.Ir;

namespace OnnxNas.Operators.Execution;

/// <summary>What one run of a graph may take. Its sizes are worked out from shapes before each kernel starts.</summary>
/// <param name="Bytes">Memory for the tensors that live at once.</param>
/// <param name="Steps">Multiply-accumulate operations, or what takes as long.</param>
public sealed record RunLimits(long Bytes, double Steps)
{
    // Activations of a batch, against the bytes of the weights. Convolutional networks for large pictures come near it.
    private const int BytesPerConstantByte = 24;

    // A model may make its weights of a few numbers, as test models do; one of few nodes has few of them.
    private const long Least = 160L << 20;
    private const long BytesPerNode = 8L << 20;
    private const long MostForNodes = 768L << 20;

    // A few seconds.
    private const double LeastSteps = 5e10;
    private const double StepsPerByte = 250;

    // What is handed in or out is there as an array and as a tensor, and the same again in the runtime it is compared with.
    private const int CopiesOfFeeds = 4;

    /// <summary>Limits of memory, and of work in proportion to it.</summary>
    public RunLimits(long bytes) : this(bytes, Math.Max(LeastSteps, StepsPerByte * (bytes - MostForNodes)))
    {
    }

    /// <summary>Memory for the inputs of a run together, and for its outputs together.</summary>
    public long BytesOfFeeds => Bytes / CopiesOfFeeds;

    /// <summary>
    /// Limits for running a model: the memory that the user allows, or else in proportion to its constants and nodes, but no more than the machine has free.
    /// </summary>
    public static RunLimits ForModel(Model model, long? allowed = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (constants, nodes) = Size(model.Graph);
        var small = Math.Min(MostForNodes, Least + BytesPerNode * nodes);
        return new(allowed ?? (long)Math.Min(Math.Max(small, BytesPerConstantByte * constants), MachineMemory.MostOfFree()));
    }

    private static (double ConstantBytes, long Nodes) Size(Graph graph)
    {
        var (bytes, nodes) = (graph.Values.Select(ParameterRule.ConstantOf).OfType<TensorData>().Sum(t => (double)t.ElementCount * t.Type.BitWidth() / 8), (long)graph.NodeCount);
        foreach (var inner in graph.Nodes.SelectMany(n => n.Subgraphs).Select(Size))
            (bytes, nodes) = (bytes + inner.ConstantBytes, nodes + inner.Nodes);
        return (bytes, nodes);
    }
}
