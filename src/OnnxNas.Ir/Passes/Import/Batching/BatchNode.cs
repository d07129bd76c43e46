namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>A node that reads samples, as the rule of its operator sees it.</summary>
internal sealed class BatchNode(BatchGraph graph, Node node, string op)
{
    private readonly Dictionary<int, BatchAxis> results = [];

    public BatchGraph Graph { get; } = graph;

    public Node Node { get; } = node;

    /// <summary>The operator of ai.onnx whose rule is asked.</summary>
    public string Op { get; } = op;

    /// <summary>Inputs that hold samples.</summary>
    public IEnumerable<int> Batched => Enumerable.Range(0, Node.Inputs.Count).Where(i => Axis(i) is not null);

    /// <summary>What was done to the node, for the user; null where nothing was.</summary>
    public string? Change { get; set; }

    /// <summary>Where an output holds samples.</summary>
    public BatchAxis? Result(int output) => results.TryGetValue(output, out var axis) ? axis : null;

    /// <summary>Says where an output holds samples.</summary>
    public void Set(int output, BatchAxis axis) => results[output] = axis;

    /// <summary>Says where all outputs hold samples.</summary>
    public void SetAll(BatchAxis axis)
    {
        for (var i = 0; i < Node.Outputs.Count; i++)
            results[i] = axis;
    }

    /// <summary>Where an input holds samples.</summary>
    public BatchAxis? Axis(int input) => Graph.AxisOf(Node.Input(input));

    /// <summary>The extents of an input.</summary>
    public Shape Shape(int input) => Node.Input(input) is { } value && Graph[value].Shape is { } shape ? shape : throw Refuse($"the shape of its input {input} is not known");

    /// <summary>The integers of an attribute, or of an input that must be known; null where neither is given.</summary>
    public long[]? Integers(string attribute, int input)
    {
        if (Node.Attribute(attribute) is { } given)
            return given.Kind == AttrKind.Int ? [given.AsInt()] : [.. given.AsInts()];
        if (Node.Input(input) is not { } value)
            return null;
        if (Graph[value].Elements is { } elements && elements.All(e => e.IsKnown))
            return [.. elements.Select(e => e.Value)];
        return Graph.Constant(value) is { } data && data.Type.IsInteger() ? data.ToInt64s() : throw Refuse($"its {attribute} are not known");
    }

    /// <summary>An axis counted from the front.</summary>
    public int FromFront(long axis, int rank) => axis < -rank || axis >= rank ? throw Refuse($"axis {axis} does not exist in rank {rank}") : (int)(axis < 0 ? axis + rank : axis);

    /// <summary>Refuses unless only the named inputs hold samples; returns where the first of them does.</summary>
    public BatchAxis Only(params ReadOnlySpan<int> inputs)
    {
        foreach (var input in Batched)
        {
            if (!inputs.Contains(input))
                throw Refuse($"its input '{Node.Input(input)!.Name}' differs from sample to sample");
        }

        return Axis(Batched.First())!.Value;
    }

    /// <summary>Refuses unless the first input alone holds samples, on its first axis.</summary>
    public BatchAxis Leading(params ReadOnlySpan<int> inputs)
    {
        var axis = Only(inputs.Length == 0 ? [0] : inputs);
        return axis.Axis == 0 ? axis : throw Mixes();
    }

    /// <summary>An error: the samples do not stay apart.</summary>
    public BatchException Mixes() => Refuse("it mixes the samples of a batch");

    /// <summary>An error in the name of the node.</summary>
    public BatchException Refuse(string why) => new(Node.Label, $"{Node}: {why}");

    /// <summary>Makes an input that is the same for all samples hold one copy a sample on an axis.</summary>
    public void Grow(int input, BatchAxis axis)
    {
        if (Node.Input(input) is not { } value)
            return;
        if (Axis(input) is { } found)
        {
            if (found.Axis != axis.Axis || !found.HasLayoutOf(axis))
                throw Refuse("its inputs hold the samples on different axes");
            return;
        }

        Node.ReplaceInput(input, ConstantGrowth.Grow(Graph, value, axis, this));
        Change ??= $"'{value.Name}', made for {Graph.Samples} samples, follows the batch";
    }

    /// <summary>Makes an input that is the same for all samples fit the batch on an axis by broadcasting.</summary>
    public void Fit(int input, BatchAxis axis)
    {
        var value = Node.Input(input)!;
        var extent = Shape(input)[axis.Axis];
        if (extent.ValueOrNull == 1)
            return;
        Node.ReplaceInput(input, ConstantGrowth.OneRow(Graph, value, axis, this) ?? ConstantGrowth.Grow(Graph, value, axis, this));
        Change ??= $"'{value.Name}', made for {Graph.Samples} samples, fits any number of them";
    }
}
