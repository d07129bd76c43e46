using System.Security.Cryptography;
using OnnxNas.Ir;

namespace OnnxNas.Search.Checkpoints;

/// <summary>Tells whether something is still what it was: SHA-256 in hexadecimal.</summary>
public static class Fingerprint
{
    /// <summary>Of a file's bytes.</summary>
    public static string OfFile(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Of a model file, and of the weights it keeps in files of their own.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="model">What was read from it.</param>
    public static string OfModel(string path, Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(path));
        foreach (var value in model.Graph.Initializers)
        {
            if (value.Initializer is { Storage: TensorStorage.External } tensor)
                hash.AppendData(tensor.Bytes.Span);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
