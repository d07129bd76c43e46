using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// Writes .npz files that depend on nothing but the arrays: no times, no platform marks. Stored bytes are the same everywhere;
/// deflated ones are the same wherever the framework's deflate is.
/// </summary>
public static class NpzWriter
{
    private const ushort FirstOfJanuary1980 = 0x21;
    private const ushort Utf8Names = 0x800;

    /// <summary>Writes the arrays in the order given.</summary>
    /// <exception cref="DataException">A type has no .npy form, or the file would pass 4 GB or 65534 arrays.</exception>
    public static void Write(Stream target, IEnumerable<KeyValuePair<string, TensorData>> arrays, bool compress = false)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(arrays);
        using var directory = new MemoryStream();
        var (offset, count) = (0L, 0);
        foreach (var (name, tensor) in arrays)
        {
            var file = Encoding.UTF8.GetBytes(name + ".npy");
            var head = NpyHead(name, tensor);
            var size = head.Length + (long)tensor.Bytes.Length;
            var crc = Crc32.Append(Crc32.Append(0, head), tensor.Bytes.Span);
            var packed = compress ? Deflate(head, tensor.Bytes.Span) : null;
            var packedSize = packed?.Length ?? size;
            if (Math.Max(size, offset + packedSize + file.Length) > int.MaxValue * 2L || count == ushort.MaxValue - 1)
                throw new DataException($"Array '{name}' would take the file past 4 GB or 65534 arrays; write fewer into one file.");
            var common = Common(compress, crc, (uint)packedSize, (uint)size, (ushort)file.Length);
            target.Write([.. "PK\x03\x04"u8, .. common, .. file]);
            if (packed is null)
            {
                target.Write(head);
                target.Write(tensor.Bytes.Span);
            }
            else
            {
                target.Write(packed);
            }

            directory.Write([.. "PK\x01\x02"u8, 20, 0, .. common]);
            directory.Write(Bytes(0, 0, 0, 0, 0)); // comment, disk, attributes
            directory.Write(Bytes((uint)offset));
            directory.Write(file);
            offset += 4 + common.Length + file.Length + packedSize;
            count++;
        }

        target.Write(directory.ToArray());
        target.Write([.. "PK\x05\x06"u8, .. Bytes(0, 0, (ushort)count, (ushort)count), .. Bytes((uint)directory.Length), .. Bytes((uint)offset), 0, 0]);
    }

    // The fields that a local header and the directory share, from "version needed" to "extra length".
    private static byte[] Common(bool compress, uint crc, uint packed, uint size, ushort name) =>
    [
        .. Bytes(20, Utf8Names, compress ? (ushort)8 : (ushort)0, 0, FirstOfJanuary1980),
        .. Bytes(crc), .. Bytes(packed), .. Bytes(size), .. Bytes(name, 0),
    ];

    private static byte[] NpyHead(string name, TensorData tensor)
    {
        var descr = tensor.Type switch
        {
            ElementType.Float16 => "<f2",
            ElementType.Float32 => "<f4",
            ElementType.Float64 => "<f8",
            ElementType.Int8 => "|i1",
            ElementType.Int16 => "<i2",
            ElementType.Int32 => "<i4",
            ElementType.Int64 => "<i8",
            ElementType.UInt8 => "|u1",
            ElementType.UInt16 => "<u2",
            ElementType.UInt32 => "<u4",
            ElementType.UInt64 => "<u8",
            ElementType.Bool => "|b1",
            _ => throw new DataException($"Array '{name}' is of type {tensor.Type}, which .npy files cannot hold; convert it first."),
        };
        var shape = tensor.Dims.Count == 1 ? $"({tensor.Dims[0]},)" : $"({string.Join(", ", tensor.Dims)})";
        var dict = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}";
        // The data start at a multiple of 64.
        var length = (10 + dict.Length + 1 + 63) / 64 * 64 - 10;
        return [0x93, .. "NUMPY"u8, 1, 0, .. Bytes((ushort)length), .. Encoding.ASCII.GetBytes(dict.PadRight(length - 1)), (byte)'\n'];
    }

    private static byte[] Deflate(ReadOnlySpan<byte> head, ReadOnlySpan<byte> data)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            deflate.Write(head);
            deflate.Write(data);
        }

        return packed.ToArray();
    }

    private static byte[] Bytes(params ReadOnlySpan<ushort> numbers)
    {
        var bytes = new byte[numbers.Length * 2];
        for (var i = 0; i < numbers.Length; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), numbers[i]);
        return bytes;
    }

    private static byte[] Bytes(uint number)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        return bytes;
    }
}
