using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Evaluation;

/// <summary>
/// Measured latencies, kept from run to run in one JSON file. An entry is found by a hash of the model's bytes, the fed shapes, the threads, the version
/// of ONNX Runtime and the machine's name. The file is written anew for each entry, whole or not at all; of two programs that write at once one may lose its entry.
/// </summary>
public sealed class LatencyCache
{
    private readonly string path;
    private readonly Dictionary<string, Latency> entries;

    /// <summary>The cache in a file, which need not be there. A file that cannot be read counts as empty.</summary>
    public LatencyCache(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        this.path = path;
        entries = Read(path);
    }

    /// <summary>The cache of the current user, <c>onnxnas/latency.json</c> in the folder the system has for caches; null for a user without a home folder.</summary>
    public static LatencyCache? ForUser()
    {
        var folder = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (!Path.IsPathFullyQualified(folder ?? ""))
        {
            folder = OperatingSystem.IsWindows()
                ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        }

        return Path.IsPathFullyQualified(folder!) ? new(Path.Combine(folder!, "onnxnas", "latency.json")) : null;
    }

    /// <summary>The name of an entry.</summary>
    public static string Key(byte[] model, IReadOnlyDictionary<string, TensorData> feeds, int threads)
    {
        NativeRuntime.EnsureEnvironment();
        return Key(model, feeds, threads, OrtEnv.Instance().GetVersionString());
    }

    /// <summary>The name of an entry of a version of ONNX Runtime.</summary>
    internal static string Key(byte[] model, IReadOnlyDictionary<string, TensorData> feeds, int threads, string version)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(feeds);
        var shapes = string.Join(';', feeds.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key}:{f.Value.Type}[{string.Join(',', f.Value.Dims)}]"));
        var circumstances = $"{Convert.ToHexString(SHA256.HashData(model))}|{shapes}|{threads}|{version}|{Environment.MachineName}|{Environment.ProcessorCount}";
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(circumstances)));
    }

    /// <summary>The latency kept under a name, or null.</summary>
    public Latency? Find(string key) => entries.GetValueOrDefault(key);

    /// <summary>Keeps a latency. Where the file cannot be written it is kept for this run only.</summary>
    public void Store(string key, Latency latency)
    {
        foreach (var (other, value) in Read(path))
            entries.TryAdd(other, value);
        entries[key] = latency;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, new(entries, StringComparer.Ordinal), LatencyJson.Default.SortedDictionaryStringLatency));
        }
        catch (Exception e) when (e is OnnxNasException or IOException or UnauthorizedAccessException)
        {
            // A measurement that is not kept costs time in the next run and is no reason to stop this one.
        }
    }

    private static Dictionary<string, Latency> Read(string path)
    {
        try
        {
            var read = JsonSerializer.Deserialize(InputFile.ReadBytes(path, InputFile.LargestJson), LatencyJson.Default.DictionaryStringLatency) ?? [];
            return read.Where(e => e.Value is { Median: > 0 and < double.PositiveInfinity }).ToDictionary(e => e.Key, e => e.Value!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return [];
        }
    }
}
