using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Operators.Execution;

/// <summary>Decides which constants are trained.</summary>
public static class ParameterRule
{
    /// <summary>
    /// The constants that are trained because <paramref name="node"/> reads them in a parameter position (<see cref="OnnxOperator.ParameterInputs"/>), directly or through nodes that
    /// only move elements, as <c>MatMul(x, Transpose(w))</c> does. They are of floats, and not <see cref="FixedConstants">part of a formula</see>.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="bound">Its operator.</param>
    public static IEnumerable<Value> TrainedBy(Node node, OnnxOperator bound)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(bound);
        return bound.ParameterInputs.Select(node.Input).OfType<Value>().SelectMany(ParameterSources.Of).Distinct().Where(v => IsTrained(v, node));
    }

    /// <summary>The constant a value holds as initializer or as output of a Constant node, or null.</summary>
    public static TensorData? ConstantOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Initializer ?? (value.Producer is { OpType: "Constant", Domain: "" } maker ? maker.Attribute("value")?.AsTensor() : null);
    }

    internal static Dictionary<Value, ConstantRole> Roles(ExecutionPlan plan, IEnumerable<string> extraParameters)
    {
        var roles = new Dictionary<Value, ConstantRole>();
        foreach (var step in plan.WithBodies().SelectMany(p => p.Steps))
        {
            foreach (var value in TrainedBy(step.Node, step.Operator).Where(v => v.Initializer is not null && v.Graph == plan.Graph))
                roles.TryAdd(value, ConstantRole.Parameter);
        }

        foreach (var step in plan.Steps)
        {
            foreach (var (input, _) in step.Operator.Buffers)
            {
                if (step.Node.Input(input) is { Initializer: not null } value)
                    roles[value] = ConstantRole.Buffer;
            }
        }

        foreach (var name in extraParameters)
        {
            var value = plan.Graph.Find(name);
            if (value?.Initializer is null)
                throw new ModelFormatException($"'{name}' is to be trained, but graph '{plan.Graph.Name}' has no initializer of that name.");
            roles[value] = ConstantRole.Parameter;
        }

        return roles;
    }

    private static bool IsTrained(Value value, Node node) =>
        ConstantOf(value) is { } data && data.Type.IsFloatingPoint() && !FixedConstants.Contains(data, value, node);
}

internal enum ConstantRole
{
    Constant,
    Parameter,
    Buffer,
}
