using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// What it takes to compute the constant part of a model: by a runtime that folds constants on loading, or anew in each run. Worked out from shapes.
/// </summary>
/// <param name="Bytes">Memory for all of it.</param>
/// <param name="Steps">As <see cref="Workload.Steps"/>.</param>
/// <param name="IsWhole">Whether every size is known.</param>
/// <param name="Largest">The node that takes most memory, in words; "" where nothing is to be computed.</param>
public sealed record ConstantWork(double Bytes, double Steps, bool IsWhole, string Largest)
{
    // Tables and masks of real models take less; a runtime may hold them twice.
    private const double ModestBytes = 64 << 20;
    private const double ModestSteps = 5e9;

    /// <summary>Whether a runtime may fold the constants without asking for much. Not where a size is unknown.</summary>
    public bool IsModest => IsWhole && Bytes <= ModestBytes && Steps <= ModestSteps;

    /// <summary>Measures a model, which is not changed. Of one whose types contradict each other nothing is known.</summary>
    public static ConstantWork Of(Model model, OperatorRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(registry);
        var plain = model.Clone();
        try
        {
            new InlineFunctions(registry.IsSameVersion).Run(plain);
            return Of(plain, ShapeInference.Run(plain, registry), registry);
        }
        catch (OnnxNasException)
        {
            return new(0, 0, false, ""); // What is wrong is said by who loads it.
        }
    }

    /// <summary>Refuses a model whose constant part alone leaves the limits.</summary>
    /// <exception cref="ResourceLimitException">It does.</exception>
    public void Require(RunLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        if (Bytes > limits.Bytes)
        {
            throw new ResourceLimitException(string.Create(CultureInfo.InvariantCulture,
                $"What the model computes of constants takes {Bytes / (1 << 20):N0} MiB, most of it for {Largest}; a run may take {limits.Bytes >> 20:N0} MiB. Check the sizes that the model asks for, or raise --memory."));
        }
    }

    private static ConstantWork Of(Model model, InferenceResult types, OperatorRegistry registry)
    {
        var (opsets, constant) = (model.OpsetVersions(), new HashSet<Value>());
        var (bytes, steps, isWhole, largest, most) = (0.0, 0.0, true, "", 0.0);
        Visit(model.Graph);
        return new(bytes, steps, isWhole, largest);

        void Visit(Graph graph)
        {
            var replaceable = graph.Inputs.ToHashSet();
            constant.UnionWith(graph.Initializers.Where(i => !replaceable.Contains(i)));
            foreach (var node in graph.Nodes)
            {
                foreach (var inner in node.Subgraphs)
                    Visit(inner);
                // A runtime that knows the shape of a value folds what is computed of it.
                if (node.Subgraphs.Any() || registry.WhyUnsupported(node, opsets) is not null || !(GivesShape(node) || Graph.Reads(node).All(constant.Contains)))
                    continue;
                constant.UnionWith(node.Outputs.OfType<Value>());
                // In a branch that does not fit its inputs no sizes are known.
                isWhole &= types.Knows(node);
                if (!types.Knows(node))
                    continue;
                var work = NodeWork.Of(registry.Bind(node, opsets), types.Context(node), types.Outputs(node));
                (bytes, steps, isWhole) = (bytes + work.Bytes, steps + work.Steps, isWhole && work.IsWhole);
                if (work.Bytes > most)
                    (most, largest) = (work.Bytes, node.ToString());
            }
        }
    }

    private static bool GivesShape(Node node) => node is { OpType: "Shape" or "Size", Domain: "" };
}
