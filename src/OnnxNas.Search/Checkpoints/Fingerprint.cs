using System.Security.Cryptography;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Search.Checkpoints;

/// <summary>Tells whether something is still what it was: SHA-256 in hexadecimal.</summary>
public static class Fingerprint
{
    private const int Piece = 1 << 20;

    /// <summary>Of bytes.</summary>
    public static string Of(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>Of a file's bytes.</summary>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public static string OfFile(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, path);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Of a model file, and of the weights it keeps in files of their own.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="model">What was read from it.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public static string OfModel(string path, Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, path);
        foreach (var value in model.Graph.Initializers)
        {
            if (value.Initializer is { Storage: TensorStorage.External } tensor)
                hash.AppendData(tensor.Bytes.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static void Append(IncrementalHash hash, string path)
    {
        try
        {
            using var file = InputFile.Open(path);
            var buffer = new byte[(int)Math.Min(Piece, file.Length)];
            for (long offset = 0; offset < file.Length; offset += buffer.Length)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, file.Length - offset));
                file.Read(offset, piece);
                hash.AppendData(piece);
            }
        }
        catch (IOException e)
        {
            throw new CheckpointException($"'{path}' cannot be read: {e.Message}", e);
        }
    }
}
