using OnnxNas.Ir;

namespace OnnxNas.Operators.Execution;

internal enum ConstantRole
{
    Constant,
    Parameter,
    Buffer,
}

/// <summary>Decides which initializers are trained, which hold running statistics, and which stay as they are.</summary>
internal static class ConstantRoles
{
    public static Dictionary<Value, ConstantRole> Of(ExecutionPlan plan, IEnumerable<string> extraParameters)
    {
        var roles = new Dictionary<Value, ConstantRole>();
        foreach (var step in plan.Steps)
        {
            foreach (var input in step.Operator.ParameterInputs)
            {
                if (step.Node.Input(input) is { Initializer: { } data } value && data.Type.IsFloatingPoint() && IsTensor(value, step.Node))
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

    // A single number beside an elementwise operator is a constant of the formula (x * 0.5), not a weight.
    private static bool IsTensor(Value value, Node node) =>
        value.Initializer!.ElementCount > 1 || node.OpType is not ("Add" or "Sub" or "Mul" or "Div");
}
