namespace OnnxNas.Ir.Passes;

/// <summary>
/// Makes zeros of a given type in one graph: a ConstantOfShape, which unlike an initializer nobody takes for a weight. Its symbolic
/// extents are read from the graph's inputs. Equal requests give one value. New nodes stand at the start of the graph, so that any node may read them.
/// </summary>
internal sealed class ZerosBuilder(GraphEditor editor, Graph graph, int opset)
{
    // The version that introduced ConstantOfShape; before it there are constants, up to a size that does not bloat the file.
    private const int Available = 9;
    private const long MaxConstantElements = 1 << 14;
    private readonly Dictionary<string, Value> made = new(StringComparer.Ordinal);
    private readonly Dictionary<(Value Input, int Axis), Value> extents = [];
    private readonly Dictionary<Value, Value> shapes = [];
    private Dictionary<Dim, (Value Input, int Axis)>? sources;
    private Node? last;

    /// <summary>Zeros of that type, or null where an extent cannot be had.</summary>
    public Value? Of(OnnxType? type)
    {
        if (type is not TensorType { Shape: { } shape, Element: var element } || !IsSupported(element))
            return null;
        var key = $"{element}{shape}";
        if (made.TryGetValue(key, out var known))
            return known;
        if (opset < Available)
            return Constant(element, shape) is { } data ? made[key] = editor.AddConstant(graph, "zeros", data) : null;
        if (Vector(shape) is not { } vector)
            return null;
        return made[key] = Note(Fill(vector, element, shape, Start()));
    }

    /// <summary>Zeros with the shape and type of a value, made before a node that comes after it; null where the type is not known.</summary>
    public Value? Like(Value value, Node before)
    {
        if (opset < Available || !IsSupported(value.Element))
            return null;
        var vector = graph.Call("Shape", [value], value.Name + "_shape", before: before);
        vector.Type = new TensorType(ElementType.Int64, value.Shape is { } shape ? new Shape(shape.Rank) : null);
        return Fill(vector, value.Element, value.Shape, before);
    }

    private bool IsSupported(ElementType element) =>
        element.IsInteger() || element is ElementType.Float32 or ElementType.Float64 or ElementType.Float16
        || element == ElementType.BFloat16 && opset >= 20;

    private static TensorData? Constant(ElementType element, Shape shape) =>
        shape.ToLongs() is { } dims && Dim.Min(shape.Size(), MaxConstantElements).Equals(shape.Size())
            ? TensorData.FromBytes(element, dims, new byte[element.ByteCount(shape.Size().Value)])
            : null;

    private Value Fill(Value vector, ElementType element, Shape? shape, Node? before)
    {
        var zero = TensorData.FromBytes(element, [1], new byte[element.ByteCount(1)]);
        var filled = graph.Call("ConstantOfShape", [vector], "zeros", attributes: [Attr.Of("value", zero)], before: before);
        filled.Type = new TensorType(element, shape);
        return filled;
    }

    // The shape as an int64 vector, or null where an extent is neither a number nor one of an input's.
    private Value? Vector(Shape shape)
    {
        if (shape.ToLongs() is { } dims)
            return editor.AddConstant(graph, "zeros_shape", TensorData.Vector<long>(dims));
        var found = shape.Select(d => d.IsKnown ? null : Source(d)).ToArray();
        if (found.Zip(shape).Any(p => p.First is null && !p.Second.IsKnown))
            return null;
        var parts = new List<Value>();
        for (var axis = 0; axis < shape.Rank;)
        {
            var run = shape.Skip(axis).TakeWhile(d => d.IsKnown).Select(d => d.Value).ToArray();
            parts.Add(run.Length > 0 ? editor.AddConstant(graph, "zeros_extent", TensorData.Vector<long>(run)) : Extent(found[axis]!.Value));
            axis += Math.Max(run.Length, 1);
        }

        return parts.Count == 1 ? parts[0] : Make("Concat", parts, "zeros_shape", shape.Rank, Attr.Of("axis", 0L));
    }

    private (Value Input, int Axis)? Source(Dim extent)
    {
        if (sources is null)
        {
            sources = [];
            foreach (var input in graph.Inputs.Where(i => i.Type is TensorType && i.Initializer is null))
            {
                for (var axis = 0; axis < (input.Shape?.Rank ?? 0); axis++)
                {
                    if (!input.Shape![axis].IsKnown && !input.Shape[axis].IsUnknown)
                        sources.TryAdd(input.Shape[axis], (input, axis));
                }
            }
        }

        return sources.TryGetValue(extent, out var source) ? source : null;
    }

    private Value Extent((Value Input, int Axis) source)
    {
        if (extents.TryGetValue(source, out var known))
            return known;
        if (!shapes.TryGetValue(source.Input, out var shape))
            shapes[source.Input] = shape = Make("Shape", [source.Input], source.Input.Name + "_shape", source.Input.Shape!.Rank);
        var axis = editor.AddConstant(graph, "zeros_axis", TensorData.Vector((long)source.Axis));
        return extents[source] = Make("Gather", [shape, axis], "zeros_extent", 1, Attr.Of("axis", 0L));
    }

    private Value Make(string op, IEnumerable<Value> inputs, string name, int length, params Attr[] attributes)
    {
        var output = graph.Call(op, inputs, name, attributes: attributes, before: Start());
        output.Type = new TensorType(ElementType.Int64, new Shape(length));
        return Note(output);
    }

    private Node? Start() => last is null ? graph.First : last.Next;

    private Value Note(Value value)
    {
        last = value.Producer;
        return value;
    }
}
