using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OnnxNas.Ir.Printing;

/// <summary>Constants as text: short ones in full, others by the hash of their payload.</summary>
internal static class TensorText
{
    private const int MostElements = 8;

    public static string Show(TensorData tensor)
    {
        var elements = tensor.ElementCount <= MostElements ? Elements(tensor) : null;
        return elements is null ? $"{tensor} sha256:{Hash(tensor)}" : $"{tensor} [{string.Join(", ", elements)}]";
    }

    public static string Show(SparseTensorData tensor)
    {
        var values = tensor.Values is null ? "none" : Show(tensor.Values);
        var indices = tensor.Indices is null ? "none" : Show(tensor.Indices);
        return $"sparse[{string.Join(',', tensor.Dims)}] values {values} at {indices}";
    }

    private static IEnumerable<string>? Elements(TensorData tensor) => tensor.Type switch
    {
        ElementType.String => tensor.Strings.Select(s => ValueText.Quote(Encoding.UTF8.GetString(s.Span))),
        ElementType.Float32 => tensor.AsSpan<float>().ToArray().Select(ValueText.Show),
        ElementType.UInt64 => tensor.AsSpan<ulong>().ToArray().Select(v => v.ToString(CultureInfo.InvariantCulture)),
        ElementType.Float64 or ElementType.Float16 or ElementType.BFloat16 => tensor.ToDoubles().Select(v => v.ToString("R", CultureInfo.InvariantCulture)),
        ElementType.Bool => tensor.ToInt64s().Select(v => v == 0 ? "false" : "true"),
        _ when tensor.Type.IsInteger() => tensor.ToInt64s().Select(v => v.ToString(CultureInfo.InvariantCulture)),
        _ => null,
    };

    private static string Hash(TensorData tensor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (tensor.Type == ElementType.String)
        {
            var length = new byte[sizeof(int)];
            foreach (var element in tensor.Strings)
            {
                // With its length, so that where one string ends is part of the hash.
                BinaryPrimitives.WriteInt32LittleEndian(length, element.Length);
                hash.AppendData(length);
                hash.AppendData(element.Span);
            }
        }
        else
        {
            hash.AppendData(tensor.Bytes.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }
}
