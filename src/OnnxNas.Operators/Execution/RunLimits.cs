using OnnxNas.Ir;

namespace OnnxNas.Operators.Execution;

/// <summary>What one run of a graph may take. Its sizes are worked out from shapes before each kernel starts.</summary>
/// <param name="Bytes">Memory for the tensors that live at once.</param>
public sealed record RunLimits(long Bytes)
{
    // What a plain model needs besides its weights, and little enough to be held several times over by a comparison.
    private const long Least = 160L << 20;

    // Activations of a batch, against the bytes of the weights. Convolutional networks for large pictures come near it.
    private const int BytesPerConstantByte = 24;

    // A few seconds for the least memory.
    private const double StepsPerByte = 250;

    /// <summary>Multiply-accumulate operations, or what takes as long.</summary>
    public double Steps => Bytes * StepsPerByte;

    /// <summary>Limits for running a model: the memory that the user allows, or else in proportion to the constants that it holds, but no more than the machine has free.</summary>
    public static RunLimits ForModel(Model model, long? allowed = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new(allowed ?? (long)Math.Min(Math.Max(Least, BytesPerConstantByte * ConstantBytes(model.Graph)), MachineMemory.MostOfFree()));
    }

    private static double ConstantBytes(Graph graph) =>
        graph.Values.Select(ParameterRule.ConstantOf).OfType<TensorData>().Sum(t => (double)t.ElementCount * t.Type.BitWidth() / 8)
        + graph.Nodes.SelectMany(n => n.Subgraphs).Sum(ConstantBytes);
}
