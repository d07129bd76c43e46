namespace OnnxNas.Ir.Passes.Import;

/// <summary>Float constants of elementwise operators that belong to the formula and are not weights.</summary>
public static class FixedConstants
{
    // What a mask adds to logits that must not count: exporters write -1e4 and less.
    private const double Masked = -1e3;
    private const int MostSteps = 8;

    /// <summary>
    /// Why a constant of several numbers is no weight where a node reads it: it is a mask (zeros beside ones that are multiplied, or beside very negative numbers that are
    /// added), or the mean or deviation of pixels, one a channel, that the model's raw input is normalised by. Null where it may be one.
    /// </summary>
    /// <param name="data">The constant.</param>
    /// <param name="value">The value that holds it.</param>
    /// <param name="node">A node that reads it, perhaps through nodes that move elements.</param>
    public static string? WhyFixed(TensorData data, Value value, Node node)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(node);
        return node.OpType is not ("Add" or "Sub" or "Mul" or "Div") ? null
            : IsMask(data, node.OpType) ? "it is a mask"
            : IsPerChannel(data) && node.Inputs.Any(i => i is not null && i != value && IsRaw(i, MostSteps)) ? "it normalises the raw input, one number a channel"
            : null;
    }

    private static bool IsMask(TensorData data, string op)
    {
        if (data.Type is not (ElementType.Float32 or ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16))
            return false;
        var (zeros, others) = (false, false);
        foreach (var number in data.ToDoubles())
        {
            if (number == 0)
                zeros = true;
            else if (op == "Mul" ? number == 1 : op == "Add" && number <= Masked)
                others = true;
            else
                return false;
        }

        return zeros && others;
    }

    private static bool IsPerChannel(TensorData data) => data.Dims.Count(d => d > 1) == 1;

    // Whether nothing that trains has touched the value on its way from an input.
    private static bool IsRaw(Value value, int steps)
    {
        if (value.Producer is not { } maker)
            return value is { IsInput: true, Initializer: null } && value.Graph.Outer is null;
        if (steps == 0 || maker.Domain.Length > 0 || maker.OpType is not ("Identity" or "Cast" or "Transpose" or "Reshape" or "Unsqueeze" or "Squeeze" or "Sub" or "Div" or "Mul" or "Add"))
            return false;
        var changing = maker.Inputs.OfType<Value>().Where(i => i.Initializer is null && i.Producer is not { OpType: "Constant", Domain: "" }).ToList();
        return changing.Count == 1 && IsRaw(changing[0], steps - 1);
    }
}
