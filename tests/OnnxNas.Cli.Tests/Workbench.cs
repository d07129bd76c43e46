using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Data;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

/// <summary>A temporary folder with small models and data, and a way to run the command line in this process.</summary>
internal sealed class Workbench : IDisposable
{
    private const string CacheVariable = "XDG_CACHE_HOME";
    private static readonly Dim N = Dim.Symbol("N");
    private readonly TemporaryFolder folder = new();
    private readonly string? cache = Environment.GetEnvironmentVariable(CacheVariable);

    public string this[string name] => folder.File(name);

    /// <summary>Everything below the folder, with its time, so that a change shows.</summary>
    public string[] Listing => [.. Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(p => $"{p} {File.GetLastWriteTimeUtc(p).Ticks}")];

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(CacheVariable, cache);
        folder.Dispose();
    }

    /// <summary>From now on, until this is disposed, measured latency is kept in a folder of this one.</summary>
    public void UseCache(string name) => Environment.SetEnvironmentVariable(CacheVariable, this[name]);

    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = CommandLine.Run(args, output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Requires one line on standard error that says <paramref name="because"/>, a failing exit code, and not a file touched.</summary>
    public void Refuses(int code, string because, params string[] args)
    {
        var before = Listing;
        var (actual, output, error) = Run(args);
        var what = $"{string.Join(' ', args)}\n{error}";
        Assert.AreEqual(code, actual, what);
        Assert.AreEqual("", output, what);
        Assert.StartsWith("error: ", error, what);
        Assert.AreEqual(1, error.Count(c => c == '\n'), what);
        Assert.DoesNotContain("fault of the tool", error, what);
        Assert.Contains(because, error, what);
        CollectionAssert.AreEqual(before, Listing, what);
    }

    public string Save(Model model, string name = "net.onnx")
    {
        File.WriteAllBytes(this[name], OnnxFile.ToBytes(model));
        return this[name];
    }

    public string SaveData(string name, params (string Name, TensorData Data)[] arrays)
    {
        using var file = File.Create(this[name]);
        NpzWriter.Write(file, arrays.Select(a => KeyValuePair.Create(a.Name, a.Data)));
        return this[name];
    }

    /// <summary>A marked model of three candidates, and 60 samples of two classes beside it.</summary>
    public string Classifier(Action<NetBuilder>? more = null)
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var h = net.LayerChoice("op", ["linear", "tanh", "none"], net.BatchNorm("bn", net.Linear("a", x, 4, 4), 4), net.Op("Tanh", x), net.Op("Mul", x, net.Constant("zero", [], _ => 0)));
        var i = net.InputChoice("inputs", 2, "sum", h, x, net.Op("Relu", h));
        more?.Invoke(net);
        SaveData("net.npz", Samples());
        return Save(net.Build((net.Linear("head", i, 4, 2), [N, 2])));
    }

    public static (string Name, TensorData Data)[] Samples(int count = 60) =>
        [("x", TestTensors.Normal(5, count, 4)), ("label", TestTensors.Int64s(6, 0, 2, count))];
}
