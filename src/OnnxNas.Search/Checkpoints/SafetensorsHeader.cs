using System.Text.Json;
using OnnxNas.Ir;

namespace OnnxNas.Search.Checkpoints;

/// <summary>One tensor of a safetensors header; its bytes are counted from the end of the header.</summary>
internal sealed record SafetensorsEntry(string Name, ElementType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    public override string ToString() => $"tensor '{Printable.Text(Name)}'";
}

/// <summary>The JSON header of a safetensors file. Whatever contradicts itself or the size of the file is refused.</summary>
internal static class SafetensorsHeader
{
    private const string Metadata = "__metadata__";
    private const int Depth = 4;

    // The format sets no limit on axes; libtorch has one.
    private const int MostAxes = 64;

    private static readonly (string Name, ElementType Type)[] Types =
    [
        ("F64", ElementType.Float64), ("F32", ElementType.Float32), ("F16", ElementType.Float16), ("BF16", ElementType.BFloat16),
        ("I64", ElementType.Int64), ("I32", ElementType.Int32), ("I16", ElementType.Int16), ("I8", ElementType.Int8),
        ("U8", ElementType.UInt8), ("BOOL", ElementType.Bool),
    ];

    /// <summary>The header of these tensors, whose payloads follow one another in this order.</summary>
    public static byte[] Write(IEnumerable<KeyValuePair<string, TensorData>> tensors)
    {
        using var buffer = new MemoryStream();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        var position = 0L;
        foreach (var (name, tensor) in tensors)
        {
            if (name == Metadata)
                throw new CheckpointException($"A tensor cannot be named '{Metadata}' in a safetensors file; the format keeps that name for itself.");
            var type = Array.Find(Types, t => t.Type == tensor.Type).Name
                ?? throw new CheckpointException($"Tensor '{Printable.Text(name)}' is {tensor.Type}; a safetensors file is written with {string.Join(", ", Types.Select(t => t.Name))} only.");
            json.WriteStartObject(name);
            json.WriteString("dtype", type);
            WriteNumbers(json, "shape", tensor.Dims);
            WriteNumbers(json, "data_offsets", [position, position += tensor.Bytes.Length]);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.ToArray();
    }

    /// <summary>The tensors of a header, in the order of their payloads.</summary>
    /// <param name="header">The header's bytes.</param>
    /// <param name="dataBytes">How many bytes follow it.</param>
    /// <exception cref="CheckpointException">The header is malformed, or does not describe exactly those bytes.</exception>
    public static IReadOnlyList<SafetensorsEntry> Read(ReadOnlyMemory<byte> header, long dataBytes)
    {
        var entries = Parse(header).OrderBy(e => e.Begin).ThenBy(e => e.End).ToList();
        var position = 0L;
        foreach (var entry in entries)
        {
            if (entry.Begin != position)
                throw new CheckpointException($"{entry} starts at byte {entry.Begin} of the data, {(entry.Begin > position ? "leaving a gap" : "overlapping others")}: {position} was expected.");
            position = entry.End;
        }

        return position == dataBytes ? entries : throw new CheckpointException($"its tensors take {position} bytes, and {dataBytes} follow the header.");
    }

    private static List<SafetensorsEntry> Parse(ReadOnlyMemory<byte> header)
    {
        if (header.Span is not [(byte)'{', ..])
            throw new CheckpointException("its header does not begin with '{'.");
        try
        {
            using var json = JsonDocument.Parse(header, new() { AllowDuplicateProperties = false, MaxDepth = Depth });
            var entries = new List<SafetensorsEntry>();
            foreach (var property in json.RootElement.EnumerateObject())
            {
                if (property.Name != Metadata)
                    entries.Add(Entry(property.Name, property.Value));
                else if (property.Value.EnumerateObject().Any(m => m.Value.ValueKind != JsonValueKind.String))
                    throw new CheckpointException($"its header's {Metadata} holds more than strings.");
            }

            return entries;
        }
        // The latter for a JSON value of another kind than asked for, and for strings that are no Unicode.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CheckpointException("its header is not the JSON of the format.", e);
        }
    }

    private static SafetensorsEntry Entry(string name, JsonElement json)
    {
        if (!json.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal).SequenceEqual(["data_offsets", "dtype", "shape"]))
            throw Refuse("needs dtype, shape and data_offsets, and nothing else");
        var dtype = json.GetProperty("dtype").GetString() ?? "";
        var type = Array.Find(Types, t => t.Name == dtype).Type;
        if (type == ElementType.Undefined)
            throw Refuse($"has dtype '{Printable.Text(dtype)}'; supported are {string.Join(", ", Types.Select(t => t.Name))}");
        var shape = Numbers(json.GetProperty("shape"));
        if (shape.Length > MostAxes)
            throw Refuse($"has {shape.Length} axes; at most {MostAxes} are supported");
        if (Numbers(json.GetProperty("data_offsets")) is not [var begin, var end] || begin > end || end - begin > Array.MaxLength)
            throw Refuse($"has data_offsets that are no range of at most {Array.MaxLength} bytes");
        if (Size(type, shape) != end - begin)
            throw Refuse($"is {dtype}[{string.Join(',', shape)}], and {end - begin} bytes are set aside for it");
        return new(name, type, shape, begin, end);

        CheckpointException Refuse(string because) => new($"tensor '{Printable.Text(name)}' {because}.");

        long[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(n => n.TryGetInt64(out var number) && number >= 0 ? number : throw Refuse("has a number that is negative or too large"))];
    }

    // The bytes of a tensor; −1 where there are more than any file can hold.
    private static long Size(ElementType type, long[] shape)
    {
        try
        {
            return type.ByteCount(shape.Aggregate(1L, (a, b) => checked(a * b)));
        }
        catch (OverflowException)
        {
            return -1;
        }
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
