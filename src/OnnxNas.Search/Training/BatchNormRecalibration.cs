using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Data;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// Gives a subnet running statistics of its own: those of the supernet are of the mix. The mean over batches of the batch statistics, weights
/// unchanged (Guo et al. 2020, single path one-shot, §3.4).
/// </summary>
public static class BatchNormRecalibration
{
    /// <summary>Recomputes the running statistics of a plain model over batches of <paramref name="data"/>, and writes them into it.</summary>
    /// <param name="model">A plain model.</param>
    /// <param name="data">Training samples.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="batches">How many batches of the first epoch's order; as many as there are, at most.</param>
    public static void Run(Model model, BatchLoader data, Device device, int batches = int.MaxValue)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(data);
        var copy = model.Clone();
        foreach (var node in copy.Graph.Nodes.Where(n => n.OpType == "BatchNormalization"))
            node.SetAttribute(Attr.Of("momentum", 0f)); // The running statistics after a batch are then the batch's own.
        using var module = new GraphModule(copy, device: device) { Training = true };
        if (module.Buffers.Count == 0)
            return;
        using var off = no_grad();
        var sums = module.Buffers.ToDictionary(b => b.Key, b => zeros_like(b.Value, ScalarType.Float64));
        var count = 0;
        foreach (var indices in data.Shuffled(0).Take(batches))
        {
            using var scope = NewDisposeScope();
            // What dropout draws must not depend on what ran before: a subnet has one score.
            TorchGenerator.Seed(0, RandomStreams.TorchRecalibration, count);
            module.Forward(data.Load(indices).Inputs);
            foreach (var (name, buffer) in module.Buffers)
                sums[name].add_(buffer, Scalars.One);
            count++;
        }

        using (NewDisposeScope())
        {
            foreach (var (name, sum) in sums)
            {
                module.Buffers[name].copy_(sum.DividedBy(count));
                sum.Dispose();
            }
        }

        // Parameters are written back too, unchanged.
        module.WriteBack(model.Graph);
    }
}
