using System.Buffers.Binary;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Checkpoints;

/// <summary>
/// Named tensors as a safetensors file: the length of the header in 8 bytes, the header as JSON (a name's dtype, shape and range of bytes),
/// then all payloads without a gap. Everything is little-endian. The same tensors always give the same bytes.
/// </summary>
public static class SafetensorsFile
{
    private const int LengthBytes = sizeof(ulong);

    // A payload starts at a multiple of its element size.
    private const int Alignment = 8;

    // The limit the format sets.
    private const long LongestHeader = 100_000_000;

    /// <summary>Writes a file atomically.</summary>
    /// <exception cref="CheckpointException">A tensor's element type has no place in the format here.</exception>
    /// <exception cref="ModelFormatException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyDictionary<string, TensorData> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        // Wide elements first, so that each payload is aligned.
        var ordered = tensors.OrderByDescending(t => t.Value.Type.BitWidth()).ThenBy(t => t.Key, StringComparer.Ordinal).ToList();
        var header = SafetensorsHeader.Write(ordered);
        var padding = (Alignment - header.Length % Alignment) % Alignment;
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[LengthBytes];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length + padding);
            stream.Write(length);
            stream.Write(header);
            for (var i = 0; i < padding; i++)
                stream.WriteByte((byte)' ');
            foreach (var (_, tensor) in ordered)
                stream.Write(tensor.Bytes.Span);
        });
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <exception cref="CheckpointException">The file is missing or damaged, or holds a type that is not supported.</exception>
    public static IReadOnlyDictionary<string, TensorData> Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using var file = InputFile.Open(path);
            return Read(file);
        }
        catch (IOException e)
        {
            throw new CheckpointException($"'{path}' cannot be read: {e.Message}", e);
        }
        catch (CheckpointException e)
        {
            throw new CheckpointException($"'{path}' is no usable safetensors file: {e.Message}", e);
        }
    }

    private static Dictionary<string, TensorData> Read(InputFile file)
    {
        var available = file.Length - LengthBytes;
        if (available < 0)
            throw new CheckpointException($"it has {file.Length} bytes, fewer than the {LengthBytes} of the header's length.");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(Take(file, 0, LengthBytes));
        if (length > LongestHeader || (long)length > available)
            throw new CheckpointException($"its header claims {length} bytes; {available} are there, and {LongestHeader} are allowed.");
        var entries = SafetensorsHeader.Read(Take(file, LengthBytes, (int)length), available - (long)length);
        var tensors = new Dictionary<string, TensorData>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var bytes = Take(file, LengthBytes + (long)length + entry.Begin, (int)(entry.End - entry.Begin));
            if (entry.Type == ElementType.Bool && bytes.AsSpan().ContainsAnyExceptInRange((byte)0, (byte)1))
                throw new CheckpointException($"{entry} holds a bool that is neither 0 nor 1.");
            tensors.Add(entry.Name, TensorData.FromBytes(entry.Type, entry.Shape, bytes));
        }

        return tensors;
    }

    private static byte[] Take(InputFile file, long offset, int count)
    {
        var bytes = new byte[count];
        file.Read(offset, bytes);
        return bytes;
    }
}
