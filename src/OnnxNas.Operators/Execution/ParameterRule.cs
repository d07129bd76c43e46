using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Operators.Execution;

/// <summary>Says which constants of a model are trained, as <see cref="TrainingDecision"/> has it.</summary>
public static class ParameterRule
{
    /// <summary>The initializers of the main graph that are trained, in the order of the file. A model that has not been decided is decided by the rule alone, and not changed.</summary>
    public static IReadOnlyList<Value> Trained(Model model, OperatorRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (TrainingDecision.IsMade(model))
            return [.. model.Graph.Initializers.Where(v => v.Trains == true)];
        var trained = TrainingDecision.Of(model, registry).Trained;
        return [.. model.Graph.Initializers.Where(trained.Contains)];
    }

    /// <summary>The constant a value holds as initializer or as output of a Constant node, or null.</summary>
    public static TensorData? ConstantOf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Initializer ?? (value.Producer is { OpType: "Constant", Domain: "" } maker ? maker.Attribute("value")?.AsTensor() : null);
    }

    internal static Dictionary<Value, ConstantRole> Roles(ExecutionPlan plan, Model model, OperatorRegistry registry, IEnumerable<string> extraParameters)
    {
        var roles = Trained(model, registry).ToDictionary(v => v, _ => ConstantRole.Parameter);
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
