using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;

namespace OnnxNas.Operators.Execution;

/// <summary>The node of a model that takes most memory, worked out from shapes, so that a model is refused before anything runs it. Sizes that depend on what a run computes are not seen.</summary>
public static class LargestNode
{
    /// <summary>Refuses a model one node of which leaves the limits, whichever part of the model it is in. A model whose types contradict each other is refused by who loads it.</summary>
    /// <param name="model">The model, with the extents of its inputs; it is not changed.</param>
    /// <param name="registry">Its operators.</param>
    /// <param name="limits">What one run may take.</param>
    /// <returns>Whether all sizes are seen so: nothing depends on what a run computes, and no body runs again and again.</returns>
    /// <exception cref="ResourceLimitException">A node asks for more.</exception>
    public static bool Require(Model model, OperatorRegistry registry, RunLimits limits)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentNullException.ThrowIfNull(limits);
        var plain = model.Clone();
        InferenceResult types;
        try
        {
            new InlineFunctions(registry.IsSameVersion).Run(plain);
            types = ShapeInference.Run(plain, registry);
        }
        catch (OnnxNasException)
        {
            return true;
        }

        var (opsets, isWhole) = (plain.OpsetVersions(), true);
        Visit(plain.Graph);
        return isWhole;

        void Visit(Graph graph)
        {
            foreach (var node in graph.Nodes)
            {
                foreach (var inner in node.Subgraphs)
                    Visit(inner);
                isWhole &= !node.Subgraphs.Any();
                if (node.Subgraphs.Any() || !types.Knows(node) || registry.WhyUnsupported(node, opsets) is not null)
                    continue;
                var work = NodeWork.Of(registry.Bind(node, opsets), types.Context(node), types.Outputs(node));
                isWhole &= work.IsWhole;
                if (work.Bytes > limits.Bytes)
                {
                    throw new ResourceLimitException(string.Create(CultureInfo.InvariantCulture,
                        $"{node} needs {work.Bytes / (1 << 20):N0} MiB for one sample; a run may take {limits.Bytes >> 20:N0} MiB. Check the sizes that the model asks for, or raise --memory."));
                }
            }
        }
    }
}
