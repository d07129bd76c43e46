using System.CommandLine;
using OnnxNas.Benchmarks.Demo;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search.Data;

namespace OnnxNas.Benchmarks;

/// <summary><c>make-demo FOLDER</c>: makes the demo of models/, the same bytes on every machine.</summary>
internal static class MakeDemo
{
    public static Command Command()
    {
        var folder = new Argument<DirectoryInfo>("FOLDER") { Description = "Where shapes.onnx and shapes.npz go" };
        var command = new Command("make-demo", "Make the demo's model and data") { folder };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(folder)));
        return command;
    }

    /// <summary>The bytes of every file by name.</summary>
    public static IReadOnlyDictionary<string, byte[]> Files()
    {
        using var data = new MemoryStream();
        NpzWriter.Write(data, ShapesData.Arrays());
        return new OrderedDictionary<string, byte[]> { ["shapes.onnx"] = OnnxFile.ToBytes(ShapesModel.Build()), ["shapes.npz"] = data.ToArray() };
    }

    private static void Run(DirectoryInfo folder)
    {
        folder.Create();
        foreach (var (name, bytes) in Files())
        {
            var path = Path.Combine(folder.FullName, name);
            File.WriteAllBytes(path, bytes);
            Console.WriteLine($"{path}: {bytes.Length} bytes");
        }
    }
}
