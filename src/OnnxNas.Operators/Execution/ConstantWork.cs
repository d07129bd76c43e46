using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// What it takes to compute the constant part of a model beforehand, as a runtime does that folds constants on loading. Worked out from shapes.
/// </summary>
public static class ConstantWork
{
    // Tables and masks of real models take less; a runtime may hold them twice.
    private const double MostBytes = 64 << 20;
    private const double MostSteps = 5e9;

    /// <summary>Whether a runtime may fold the constants of a model without asking for much. Not where a size is unknown.</summary>
    public static bool IsModest(Model model, OperatorRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(registry);
        var plain = model.Clone();
        try
        {
            new InlineFunctions(registry.IsSameVersion).Run(plain);
            return IsModest(plain, ShapeInference.Run(plain, registry), registry);
        }
        catch (OnnxNasException)
        {
            return false; // What is wrong is said by who loads it.
        }
    }

    private static bool IsModest(Model model, InferenceResult types, OperatorRegistry registry)
    {
        var (opsets, constant) = (model.OpsetVersions(), new HashSet<Value>());
        var (bytes, steps) = (0.0, 0.0);
        return Visit(model.Graph);

        bool Visit(Graph graph)
        {
            var replaceable = graph.Inputs.ToHashSet();
            constant.UnionWith(graph.Initializers.Where(i => !replaceable.Contains(i)));
            foreach (var node in graph.Nodes)
            {
                if (!node.Subgraphs.All(Visit))
                    return false;
                // A runtime that knows the shape of a value folds what is computed of it.
                if (node.Subgraphs.Any() || registry.WhyUnsupported(node, opsets) is not null || !(GivesShape(node) || Graph.Reads(node).All(constant.Contains)))
                    continue;
                constant.UnionWith(node.Outputs.OfType<Value>());
                var work = NodeWork.Of(registry.Bind(node, opsets), types.Context(node), types.Outputs(node));
                (bytes, steps) = (bytes + work.Bytes, steps + work.Steps);
                if (!work.IsWhole || !(bytes <= MostBytes) || !(steps <= MostSteps))
                    return false;
            }

            return true;
        }
    }

    private static bool GivesShape(Node node) => node is { OpType: "Shape" or "Size", Domain: "" };
}
