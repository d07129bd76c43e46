using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>
/// What is known of a graph's values once the batch is the symbol N: types, elements, constants, and where each holds the samples.
/// New nodes are added through it, so that they are known too.
/// </summary>
internal sealed class BatchGraph
{
    // Bytes of constants that may be computed to look at them.
    private const long MostBytes = 1 << 24;
    private readonly Dictionary<Value, InferredValue> known = [];
    private readonly Dictionary<Value, BatchAxis> axes = [];
    private readonly Dictionary<Value, TensorData?> computed = [];
    private readonly Dictionary<(Value Value, int Axis), Value> rows = [];
    private readonly ITypeRules rules;
    private readonly IConstantEvaluator evaluator;
    private readonly GraphEditor editor;
    private Value? batchSize;

    public BatchGraph(Model model, ITypeRules rules, IConstantEvaluator evaluator, string symbol, long samples, BatchChoices choices)
    {
        (Model, this.rules, this.evaluator, Choices) = (model, rules, evaluator, choices);
        (Batch, Symbol, Samples) = (Dim.Symbol(symbol), symbol, samples);
        Opsets = model.OpsetVersions();
        editor = new(model);
    }

    public Model Model { get; }

    /// <summary>What is chosen where there is a choice.</summary>
    public BatchChoices Choices { get; }

    /// <summary>N.</summary>
    public Dim Batch { get; }

    /// <summary>The name of N.</summary>
    public string Symbol { get; }

    /// <summary>The number of samples the file was made for.</summary>
    public long Samples { get; }

    public IReadOnlyDictionary<string, int> Opsets { get; }

    public int Opset => Opsets.GetValueOrDefault("");

    /// <summary>What is known of a value.</summary>
    public InferredValue this[Value value] => known.TryGetValue(value, out var found) ? found : new(value.Type);

    /// <summary>Where a value holds the samples; null where it is the same for all batches.</summary>
    public BatchAxis? AxisOf(Value? value) => value is not null && axes.TryGetValue(value, out var axis) ? axis : null;

    /// <summary>Whether a value is not of samples, but its elements count them: a shape computation.</summary>
    public bool Counts(Value? value) => value is not null && this[value].Elements is { } elements && elements.Any(Mentions);

    /// <summary>Whether an extent depends on N.</summary>
    public bool Mentions(Dim dim) => dim.Symbols().Contains(Symbol);

    public void Set(Value value, InferredValue what, BatchAxis? axis)
    {
        known[value] = what;
        value.Type = what.Type;
        if (axis is { } at)
            axes[value] = at;
    }

    /// <summary>Learns an initializer or a Constant node's output.</summary>
    public void SetConstant(Value value, TensorData data)
    {
        var small = data.Type is ElementType.Int64 or ElementType.Int32 && data.ElementCount <= 64;
        Set(value, new(new TensorType(data.Type, Shape.Of(data.Dims)), small ? [.. data.ToInt64s().Select(Dim.Known)] : null), null);
        computed[value] = data;
    }

    /// <summary>What the rule of a node says of its outputs for a batch of N.</summary>
    /// <exception cref="BatchException">Its inputs do not fit.</exception>
    public IReadOnlyList<InferredValue?> Infer(Node node)
    {
        try
        {
            return rules.Infer(new(
                node,
                [.. node.Inputs.Select(i => i is null ? null : this[i])],
                [.. node.Inputs.Select(i => i is null ? null : computed.GetValueOrDefault(i))]), Opsets) ?? [];
        }
        catch (Exception e) when (e is ShapeInferenceException or OverflowException or DivideByZeroException)
        {
            throw new BatchException(node.Label, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>
    /// Requires that the operator's own rule accepts a node on the number of samples the file was made for: the rules of batches rely on
    /// attributes and inputs being what the operator wants.
    /// </summary>
    /// <exception cref="BatchException">It does not.</exception>
    public void RequireSound(Node node)
    {
        try
        {
            rules.Infer(new(
                node,
                [.. node.Inputs.Select(i => i is null ? null : Filed(this[i]))],
                [.. node.Inputs.Select(i => i is null ? null : computed.GetValueOrDefault(i))]), Opsets);
        }
        catch (Exception e) when (e is OnnxNasException or OverflowException or DivideByZeroException)
        {
            throw new BatchException(node.Label, e.Message.TrimEnd('.'));
        }
    }

    /// <summary>The constant a value is, computed if it is not too large; null where it is none.</summary>
    public TensorData? Constant(Value value)
    {
        if (computed.TryGetValue(value, out var data))
            return data;
        if (axes.ContainsKey(value) || value.Producer is not { Domain: "" } node || node.Subgraphs.Any() || RandomOperators.Contains(node) || node.Inputs.Count == 0)
            return null;
        var inputs = node.Inputs.Select(i => i is null ? null : Constant(i)).ToArray();
        var fits = node.Outputs.All(o => o is null || this[o].Shape?.Size().ValueOrNull is { } count && count * 8 <= MostBytes);
        if (fits && node.Inputs.Zip(inputs).All(p => p.First is null || p.Second is not null) && evaluator.Evaluate(node, inputs, Opsets) is { } results)
            data = results[value.OutputIndex];
        return computed[value] = data;
    }

    /// <summary>Adds a constant.</summary>
    public Value AddConstant(string name, TensorData data)
    {
        var value = editor.AddConstant(Model.Graph, name, data);
        SetConstant(value, data);
        return value;
    }

    /// <summary>The constant of one row that stands for another one: the same for all that read that one, so that what was one tensor stays one.</summary>
    public Value RowOf(Value value, int axis, TensorData row) =>
        rows.TryGetValue((value, axis), out var found) ? found : rows[(value, axis)] = AddConstant(value.Name + "_row", row);

    /// <summary>Adds a node with one output.</summary>
    public Value Add(string op, IReadOnlyList<Value?> inputs, string name, Node before, BatchAxis? axis = null, params IReadOnlyList<Attr> attributes)
    {
        var output = Model.Graph.Call(op, inputs, name, attributes: attributes, before: before);
        Set(output, Infer(output.Producer!)[0]!, axis);
        return output;
    }

    /// <summary>The vector [N], computed from an input.</summary>
    public Value BatchSize()
    {
        if (batchSize is not null)
            return batchSize;
        var input = Model.Graph.Inputs.First(i => AxisOf(i) is not null);
        var first = Model.Graph.First!;
        var shape = Add("Shape", [input], "batch_shape", first);
        return batchSize = Add("Gather", [shape, AddConstant("batch_index", TensorData.Vector(0L))], "batch_size", first, null, Attr.Of("axis", 0L));
    }

    /// <summary>A shape as a value: these extents, with that of <paramref name="axis"/> depending on N.</summary>
    public Value ShapeWith(IReadOnlyList<long> extents, BatchAxis axis, string name, Node before)
    {
        if (axis.PerSample.ValueOrNull is not { } factor)
            throw new BatchException(name, "its batch is merged with an extent that is not known");
        var batch = factor == 1 ? BatchSize() : Add("Mul", [BatchSize(), AddConstant($"{name}_factor", TensorData.Vector(factor))], $"{name}_batch", before);
        List<Value?> parts = [];
        if (axis.Axis > 0)
            parts.Add(AddConstant($"{name}_before", TensorData.Vector<long>([.. extents.Take(axis.Axis)])));
        parts.Add(batch);
        if (axis.Axis < extents.Count - 1)
            parts.Add(AddConstant($"{name}_after", TensorData.Vector<long>([.. extents.Skip(axis.Axis + 1)])));
        return parts.Count == 1 ? batch : Add("Concat", parts, name, before, null, Attr.Of("axis", 0L));
    }

    // What is known of a value where there are as many samples as in the file.
    private InferredValue Filed(InferredValue value)
    {
        var samples = new Dictionary<string, long> { [Symbol] = Samples };
        var type = value.Type is TensorType { Shape: { } shape } tensor ? tensor with { Shape = new Shape(shape.Select(Fixed)) } : value.Type;
        return new(type, value.Elements is { } elements ? [.. elements.Select(Fixed)] : null);

        Dim Fixed(Dim dim) => Mentions(dim) && dim.Evaluate(samples) is { } number ? Dim.Known(number) : dim;
    }
}
