using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Objectives;

/// <summary>Finds the Softmax or Sigmoid that a value is made by: as one node, as exporters write it out, behind nodes that move elements, or in every candidate of a choice.</summary>
internal sealed class ActivationReader(InferenceResult types, int opset)
{
    private const int MaxDepth = 100;
    private const double LargestOffset = 1e-3;
    private readonly AxisFlow flow = new(types);
    private readonly Dictionary<Value, Activation?> known = [];

    /// <summary>The activation; null where there is none.</summary>
    public Activation? Read(Value value) => Read(value, 0);

    private Activation? Read(Value value, int depth)
    {
        if (depth > MaxDepth || value.Producer is not { } node || value.OutputIndex != 0)
            return null;
        if (!known.TryGetValue(value, out var activation))
            known[value] = activation = Read(node, depth + 1);
        return activation;
    }

    private Activation? Read(Node node, int depth)
    {
        if (node.Domain == Markers.Domain)
            return node.OpType == Markers.LayerChoice ? OfChoice(node, depth) : null;
        if (node.Domain.Length > 0 || node.Input(0) is not { } x)
            return null;
        if (AxisFlow.IsMovement(node))
        {
            return Read(x, depth) is not { } moved ? null
                : moved with { Axis = moved.Axis is { } axis ? flow.Through(node, axis) : null, Build = Once(() => Again(node, moved.Build())) };
        }

        switch (node.OpType)
        {
            case "Softmax" or "LogSoftmax":
                return new() { Name = node.OpType, IsOfClasses = true, IsLogarithm = node.OpType == "LogSoftmax", Axis = SoftmaxAxis(node, x), Front = x.Name, Build = () => x };
            case "Sigmoid":
            case "HardSigmoid" when (node.Attribute("beta")?.AsFloat() ?? 0.5f) == 0.5f && (node.Attribute("alpha")?.AsFloat() ?? 0.2f) > 0:
                return new() { Name = node.OpType, IsOfClasses = false, Front = x.Name, Build = () => x };
            case "Identity" or "Dropout":
                return Read(x, depth);
            case "Cast" when types[node.Output].Element.IsFloatingPoint():
                return Read(x, depth) is not { } cast ? null : cast with { Build = Once(() => Again(node, cast.Build())) };
            case "Clip":
                return Read(x, depth);
            case "Max" or "Min" or "Add" when OneBesideConstant(node, node.OpType == "Add" ? LargestOffset : double.MaxValue) is { } inner && Read(inner, depth) is { IsLogarithm: false } limited:
                return limited;
            case "Log" when Read(x, depth) is { IsLogarithm: false } probabilities:
                return probabilities with { IsLogarithm = true, Name = "Log" + probabilities.Name };
            case "Exp" when Read(x, depth) is { IsLogarithm: true } logarithms:
                return logarithms with { IsLogarithm = false, Name = "Exp of " + logarithms.Name };
            default:
                return WrittenOut(node);
        }
    }

    // LayerChoice(Softmax(a), Softmax(b)) → LayerChoice(a, b): for one candidate alone the two are the same.
    private Activation? OfChoice(Node marker, int depth)
    {
        var all = marker.Inputs.Select(i => i is null ? null : Read(i, depth)).ToList();
        if (all.Count == 0 || all[0] is not { } first || all.Any(a => a is null || (a.Name, a.IsOfClasses, a.IsLogarithm, a.Axis) != (first.Name, first.IsOfClasses, first.IsLogarithm, first.Axis)))
            return null;
        return first with { Front = marker.Label, Build = Once(() => marker.Graph.Call(marker.OpType, all.Select(a => a!.Build()), marker.Output.Name + "_front", marker.Domain, marker.Attributes.Values)) };
    }

    // From opset 13 on a single axis; before, all axes from one on together, of which all but one must be of one element.
    private int? SoftmaxAxis(Node node, Value x)
    {
        if (types[x].Shape is not { Rank: > 0 } shape)
            return null;
        var axis = node.Attribute("axis")?.AsInt() ?? (opset < 13 ? 1 : -1);
        var at = (int)(axis < 0 ? axis + shape.Rank : axis);
        if (opset >= 13)
            return at;
        var together = Enumerable.Range(at, Math.Max(0, shape.Rank - at)).Where(a => shape[a].ValueOrNull != 1).ToList();
        return together.Count == 1 ? together[0] : null;
    }

    private Activation? WrittenOut(Node node) => node.OpType switch
    {
        "Div" => IsNumber(node.Inputs[0]!, 1) ? LogisticOf(node.Inputs[1]!) : OfShares(node.Inputs[0]!, node.Inputs[1]!),
        "Mul" => node.Inputs[1]!.Producer is { OpType: "Reciprocal" } right ? OfShares(node.Inputs[0]!, right.Inputs[0]!)
            : node.Inputs[0]!.Producer is { OpType: "Reciprocal" } left ? OfShares(node.Inputs[1]!, left.Inputs[0]!) : null,
        "Reciprocal" => LogisticOf(node.Inputs[0]!),
        "Sub" => OfLogarithms(node.Inputs[0]!, node.Inputs[1]!),
        _ => null,
    };

    // Exp(z) / ReduceSum(Exp(z)).
    private Activation? OfShares(Value exponentials, Value sum) =>
        exponentials.Producer is { OpType: "Exp" } exp && Sum(sum, "ReduceSum") is { } reduce && reduce.Inputs[0] == exponentials ? Written(exp.Inputs[0]!, reduce, false) : null;

    // z − ReduceLogSumExp(z), or z − Log(ReduceSum(Exp(z))).
    private Activation? OfLogarithms(Value z, Value logarithm) =>
        Sum(logarithm, "ReduceLogSumExp") is { } reduce && reduce.Inputs[0] == z ? Written(z, reduce, true)
        : logarithm.Producer is { OpType: "Log" } log && Sum(log.Inputs[0]!, "ReduceSum") is { } sum && sum.Inputs[0]?.Producer is { OpType: "Exp" } exp && exp.Inputs[0] == z ? Written(z, sum, true) : null;

    private Activation? Written(Value z, Node reduce, bool isLogarithm)
    {
        if ((reduce.Attribute("keepdims")?.AsInt() ?? 1) != 1 || types[z].Shape is not { } shape)
            return null;
        var axes = reduce.Attribute("axes")?.AsInts() ?? (reduce.Input(1) is { } given ? types.Constant(given)?.ToInt64s() : null);
        if (axes is not [var axis])
            return null;
        // What is taken off all classes alike, for the exponentials' sake, changes nothing.
        var front = z.Producer is { OpType: "Sub" } shift && shift.Inputs[1]!.Producer is { OpType: "ReduceMax" } ? shift.Inputs[0]! : z;
        return new() { Name = isLogarithm ? "LogSoftmax" : "Softmax", IsOfClasses = true, IsLogarithm = isLogarithm, Axis = (int)(axis < 0 ? axis + shape.Rank : axis), Front = front.Name, Build = () => front };
    }

    // 1 / (1 + Exp(−z)).
    private Activation? LogisticOf(Value sum)
    {
        if (sum.Producer is not { OpType: "Add", Domain: "" } add)
            return null;
        var exp = IsNumber(add.Inputs[0]!, 1) ? add.Inputs[1]! : IsNumber(add.Inputs[1]!, 1) ? add.Inputs[0]! : null;
        if (exp?.Producer is not { OpType: "Exp" } power || power.Inputs[0]!.Producer is not { OpType: "Neg" } negation)
            return null;
        var z = negation.Inputs[0]!;
        return new() { Name = "Sigmoid", IsOfClasses = false, Front = z.Name, Build = () => z };
    }

    private static Node? Sum(Value value, string op) => value.Producer is { Domain: "" } node && node.OpType == op ? node : null;

    private Value? OneBesideConstant(Node node, double limit)
    {
        if (node.Inputs is not [{ } a, { } b])
            return null;
        return IsSmall(b) ? a : IsSmall(a) ? b : null;

        bool IsSmall(Value value) => types.Constant(value) is { ElementCount: 1 } data && data.Type.IsFloatingPoint() && Math.Abs(data.ToDoubles()[0]) <= limit;
    }

    private bool IsNumber(Value value, double number) => types.Constant(value) is { ElementCount: 1 } data && data.Type.IsFloatingPoint() && data.ToDoubles()[0] == number;

    private static Value Again(Node node, Value front) =>
        node.Graph.Call(node.OpType, node.Inputs.Select((i, at) => at == 0 ? front : i), node.Output.Name + "_front", node.Domain, node.Attributes.Values);

    // A value that several parts ask for is made by one node.
    private static Func<Value> Once(Func<Value> build)
    {
        Value? built = null;
        return () => built ??= build();
    }
}
