using OnnxNas.Ir;

namespace OnnxNas.Operators.Execution;

/// <summary>Decides which constants are trained.</summary>
public static class ParameterRule
{
    /// <summary>
    /// Whether a constant that <paramref name="node"/> reads in a parameter position (<see cref="OnnxOperator.ParameterInputs"/>) is trained: it is of floats, and not the
    /// single number of an elementwise operator, which belongs to the formula (<c>x * 0.5</c>).
    /// </summary>
    public static bool IsTrained(Value value, Node node)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentNullException.ThrowIfNull(node);
        return ConstantOf(value) is { } data && data.Type.IsFloatingPoint()
            && (data.ElementCount > 1 || node.OpType is not ("Add" or "Sub" or "Mul" or "Div"));
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
            foreach (var input in step.Operator.ParameterInputs)
            {
                if (step.Node.Input(input) is { Initializer: not null } value && value.Graph == plan.Graph && IsTrained(value, step.Node))
                    roles.TryAdd(value, ConstantRole.Parameter);
            }
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
}

internal enum ConstantRole
{
    Constant,
    Parameter,
    Buffer,
}
