using System.Runtime.InteropServices;
using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Payloads in typed fields (<c>float_data</c>, <c>int32_data</c>, …), to and from the bytes <c>raw_data</c> would hold.</summary>
internal static class TypedPayload
{
    /// <summary>The typed field an element type is stored in.</summary>
    public static string FieldOf(ElementType type) => type switch
    {
        ElementType.Float32 or ElementType.Complex64 => "float_data",
        ElementType.Float64 or ElementType.Complex128 => "double_data",
        ElementType.Int64 => "int64_data",
        ElementType.UInt32 or ElementType.UInt64 => "uint64_data",
        ElementType.String => "string_data",
        _ => "int32_data",
    };

    /// <summary>The typed fields that hold anything, with their counts.</summary>
    public static IEnumerable<(string Field, int Count)> Present(TensorProto proto)
    {
        (string Field, int Count)[] all =
        [
            ("float_data", proto.FloatData.Count), ("int32_data", proto.Int32Data.Count), ("string_data", proto.StringData.Count),
            ("int64_data", proto.Int64Data.Count), ("double_data", proto.DoubleData.Count), ("uint64_data", proto.Uint64Data.Count),
        ];
        return all.Where(field => field.Count > 0);
    }

    /// <summary>How many entries of the typed field a tensor takes.</summary>
    public static long EntryCount(ElementType type, long elements) => type switch
    {
        ElementType.Complex64 or ElementType.Complex128 => 2 * elements,
        _ when type.BitWidth() is 2 or 4 => type.ByteCount(elements),
        _ => elements,
    };

    /// <summary>The bytes. The number of entries has been checked.</summary>
    public static byte[] Decode(TensorProto proto, ElementType type, long byteCount, string where)
    {
        var bytes = new byte[byteCount];
        switch (FieldOf(type))
        {
            case "float_data":
                Copy(proto.FloatData, MemoryMarshal.Cast<byte, float>(bytes.AsSpan()));
                break;
            case "double_data":
                Copy(proto.DoubleData, MemoryMarshal.Cast<byte, double>(bytes.AsSpan()));
                break;
            case "int64_data":
                Copy(proto.Int64Data, MemoryMarshal.Cast<byte, long>(bytes.AsSpan()));
                break;
            case "uint64_data" when type == ElementType.UInt64:
                Copy(proto.Uint64Data, MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()));
                break;
            case "uint64_data":
                var words = MemoryMarshal.Cast<byte, uint>(bytes.AsSpan());
                for (var i = 0; i < words.Length; i++)
                    words[i] = proto.Uint64Data[i] <= uint.MaxValue ? (uint)proto.Uint64Data[i] : throw OutOfRange(where, type, "uint64_data", i, proto.Uint64Data[i]);
                break;
            default:
                DecodeInt32(proto.Int32Data, type, bytes, where);
                break;
        }

        return bytes;
    }

    /// <summary>Fills the typed field from the bytes of a tensor.</summary>
    public static void Encode(TensorData tensor, TensorProto proto)
    {
        var bytes = tensor.Bytes.Span;
        switch (FieldOf(tensor.Type))
        {
            case "string_data":
                proto.StringData.AddRange(tensor.Strings.Select(s => Google.Protobuf.UnsafeByteOperations.UnsafeWrap(s)));
                break;
            case "float_data":
                proto.FloatData.AddRange(MemoryMarshal.Cast<byte, float>(bytes).ToArray());
                break;
            case "double_data":
                proto.DoubleData.AddRange(MemoryMarshal.Cast<byte, double>(bytes).ToArray());
                break;
            case "int64_data":
                proto.Int64Data.AddRange(MemoryMarshal.Cast<byte, long>(bytes).ToArray());
                break;
            case "uint64_data" when tensor.Type == ElementType.UInt64:
                proto.Uint64Data.AddRange(MemoryMarshal.Cast<byte, ulong>(bytes).ToArray());
                break;
            case "uint64_data":
                foreach (var word in MemoryMarshal.Cast<byte, uint>(bytes))
                    proto.Uint64Data.Add(word);
                break;
            default:
                EncodeInt32(tensor.Type, bytes, proto.Int32Data);
                break;
        }
    }

    private static void Copy<T>(RepeatedField<T> source, Span<T> target)
    {
        for (var i = 0; i < target.Length; i++)
            target[i] = source[i];
    }

    private static void DecodeInt32(RepeatedField<int> entries, ElementType type, byte[] bytes, string where)
    {
        var (least, greatest) = Range(type);
        var size = bytes.Length / Math.Max(1, entries.Count);
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry < least || entry > greatest)
                throw OutOfRange(where, type, "int32_data", i, entry);
            for (var b = 0; b < size; b++)
                bytes[i * size + b] = (byte)(entry >> (8 * b));
        }
    }

    private static void EncodeInt32(ElementType type, ReadOnlySpan<byte> bytes, RepeatedField<int> entries)
    {
        switch (type)
        {
            case ElementType.Int32:
                entries.AddRange(MemoryMarshal.Cast<byte, int>(bytes).ToArray());
                break;
            case ElementType.Int16:
                foreach (var value in MemoryMarshal.Cast<byte, short>(bytes))
                    entries.Add(value);
                break;
            case ElementType.UInt16 or ElementType.Float16 or ElementType.BFloat16:
                foreach (var value in MemoryMarshal.Cast<byte, ushort>(bytes))
                    entries.Add(value);
                break;
            case ElementType.Int8:
                foreach (var value in bytes)
                    entries.Add((sbyte)value);
                break;
            default:
                foreach (var value in bytes)
                    entries.Add(value);
                break;
        }
    }

    // Packed signed elements are seen both as signed and as unsigned bytes.
    private static (int Least, int Greatest) Range(ElementType type) => type switch
    {
        ElementType.Int32 => (int.MinValue, int.MaxValue),
        ElementType.Int16 => (short.MinValue, short.MaxValue),
        ElementType.UInt16 or ElementType.Float16 or ElementType.BFloat16 => (0, ushort.MaxValue),
        ElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        ElementType.Int4 or ElementType.Int2 => (sbyte.MinValue, byte.MaxValue),
        ElementType.Bool => (0, 1),
        _ => (0, byte.MaxValue),
    };

    private static ModelFormatException OutOfRange<T>(string where, ElementType type, string field, int index, T entry) =>
        new($"{where}: {field}[{index}] is {entry}, which is no {type}. The file is damaged or was written wrongly.");
}
