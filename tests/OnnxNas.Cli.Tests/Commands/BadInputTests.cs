using System.Diagnostics;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

[TestClass]
public sealed class BadInputTests
{
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    public void A_file_that_is_no_model_is_refused_by_every_verb()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var bytes = File.ReadAllBytes(model);
        File.WriteAllBytes(bench["cut.onnx"], bytes[..(bytes.Length * 2 / 3)]);
        File.WriteAllText(bench["text.onnx"], "This is no protobuf at all.\nNot even nearly.");
        File.WriteAllBytes(bench["empty.onnx"], []);
        Directory.CreateDirectory(bench["folder.onnx"]);
        File.WriteAllText(bench["arch.json"], "{}");
        foreach (var name in new[] { "cut", "text", "empty", "folder", "absent" })
        {
            var path = bench[$"{name}.onnx"];
            bench.Refuses(1, name, "search", path, "--data", bench["net.npz"], "-o", bench["out"]);
            bench.Refuses(1, name, "search", path, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
            bench.Refuses(1, name, "inspect", path);
            bench.Refuses(1, name, "stamp", path, "-o", bench["out.onnx"]);
            bench.Refuses(1, name, "prune", path, "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        }
    }

    [TestMethod]
    public void A_model_that_cannot_be_searched_is_refused_with_the_reason()
    {
        using var bench = new Workbench();
        bench.Classifier();
        Refuse("no choices", (net, x) => net.Op("Tanh", x));
        Refuse("'narrow'", (net, x) => net.LayerChoice("l", ["wide", "narrow"], x, net.Linear("n", x, 4, 3)));
        Refuse("share label 's'", (net, x) => net.LayerChoice("s", null, net.LayerChoice("s", null, x, x), x, x));
        Refuse("RegexFullMatch", (net, x) => net.LayerChoice("l", null, x, net.Op("RegexFullMatch", x)));
        Refuse("no choices", (net, x) =>
        {
            net.LayerChoice("dead", null, x, net.Op("Tanh", x));
            return net.Op("Relu", x);
        });
        Refuse("opset 99", (net, x) => net.LayerChoice("l", null, x, net.Op("Tanh", x)), model => model.OpsetImports[""] = 99);
        Refuse("opset 28 of ai.onnx, and the newest one that ONNX Runtime runs is", (net, x) => net.LayerChoice("l", null, x, net.Op("Tanh", x)), model => model.OpsetImports[""] = 28);
        Refuse("the model imports 5", (net, x) => net.LayerChoice("l", null, x, net.Op("Tanh", x)), model => model.OpsetImports[""] = 5);
        Refuse("concatenates", (net, x) => net.Linear("p", net.InputChoice("i", 2, "concat", x, x, net.Op("Tanh", x)), 8, 4));

        void Refuse(string because, Func<NetBuilder, Value, Value> body, Action<Model>? change = null)
        {
            var net = new NetBuilder();
            var x = net.Input("x", N, 4);
            var model = net.Build((net.Linear("head", body(net, x), 4, 2), [N, 2]));
            change?.Invoke(model);
            var path = bench.Save(model, "bad.onnx");
            bench.Refuses(1, because, "search", path, "--data", bench["net.npz"], "-o", bench["out"]);
        }
    }

    [TestMethod]
    public void A_choice_of_integers_is_refused_by_name_before_training()
    {
        using var bench = new Workbench();
        bench.Classifier();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (a, b) = (net.Graph.AddInitializer("a", TensorData.Vector<long>(0, 1)), net.Graph.AddInitializer("b", TensorData.Vector<long>(2, 3)));
        var picked = net.Op("Gather", [x, net.LayerChoice("columns", null, a, b)], Attr.Of("axis", 1L));
        var path = bench.Save(net.Build((net.Linear("head", picked, 2, 2), [N, 2])), "integers.onnx");
        bench.Refuses(1, "columns", "search", path, "--data", bench["net.npz"], "-o", bench["out"]);
    }

    [TestMethod]
    public void Data_that_does_not_fit_is_refused_with_the_reason()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var (x, label) = (TestTensors.Normal(5, 60, 4), TestTensors.Int64s(6, 0, 2, 60));
        Refuse("labels", ("x", x));
        Refuse("'x'", ("label", label));
        Refuse("59", ("x", x), ("label", TestTensors.Int64s(6, 0, 2, 59)));
        Refuse("2 classes", ("x", x), ("label", TestTensors.Int64s(6, 0, 3, 60)));
        Refuse("Label -", ("x", x), ("label", TestTensors.Int64s(6, -1, 2, 60)));
        Refuse("samples do not fit", ("x", TestTensors.Normal(5, 60, 5)), ("label", label));
        Refuse("samples do not fit", ("x", TestTensors.Normal(5, 60, 4, 1)), ("label", label));
        Refuse("could be the labels", ("x", x), ("label", label), ("y", label));
        Refuse("no samples", ("x", TestTensors.Normal(5, 0, 4)), ("label", TestTensors.Int64s(6, 0, 2, 0)));
        Refuse("would be empty", ("x", TestTensors.Normal(5, 1, 4)), ("label", TestTensors.Int64s(6, 0, 2, 1)));
        Refuse("the model's output", ("x", x), ("label", TestTensors.Normal(6, 60, 3)));
        var numbers = new float[240];
        numbers[77] = float.NaN;
        Refuse("NaN or infinity at [19,1]", ("x", TensorData.Create<float>([60, 4], numbers)), ("label", label));
        numbers[77] = float.PositiveInfinity;
        Refuse("NaN or infinity", ("x", TensorData.Create<float>([60, 4], numbers)), ("label", label));
        File.WriteAllText(bench["text.npz"], "no zip");
        bench.Refuses(1, "text.npz", "search", model, "--data", bench["text.npz"], "-o", bench["out"]);
        bench.Refuses(1, "absent.npz", "search", model, "--data", bench["absent.npz"], "-o", bench["out"]);
        bench.Refuses(1, ".csv", "search", model, "--data", Copy(bench["net.npz"], bench["net.csv"]), "-o", bench["out"]);
        bench.Refuses(1, "absent.npz", "search", model, "--test", bench["absent.npz"], "-o", bench["out"]);
        bench.Refuses(1, "--loss", "search", model, "--loss", "cross-entropy", "--data", bench.SaveData("real.npz", ("x", x), ("label", TestTensors.Normal(6, 60, 2))), "-o", bench["out"]);
        File.Delete(bench["net.npz"]);
        bench.Refuses(2, "--data", "search", model, "-o", bench["out"]);

        void Refuse(string because, params (string, TensorData)[] arrays) =>
            bench.Refuses(1, because, "search", model, "--data", bench.SaveData("bad.npz", arrays), "-o", bench["out"]);
    }

    [TestMethod]
    public void External_data_outside_the_folder_is_refused()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var hidden = net.LayerChoice("l", null, net.Linear("a", x, 4, 100), net.Linear("b", x, 4, 100));
        bench.Classifier();
        Directory.CreateDirectory(bench["in"]);
        OnnxFile.Write(net.Build((net.Linear("head", hidden, 100, 2), [N, 2])), bench["in/net.onnx"], new() { ExternalData = true });
        var external = Directory.GetFiles(bench["in"]).Single(f => !f.EndsWith(".onnx", StringComparison.Ordinal));
        var name = Path.GetFileName(external);
        // A location of the same length that leads out of the folder, so that the file stays well-formed.
        var outside = "../" + name[3..];
        File.Move(external, Path.GetFullPath(Path.Combine(bench["in"], outside)));
        var bytes = File.ReadAllBytes(bench["in/net.onnx"]);
        var (old, next) = (System.Text.Encoding.UTF8.GetBytes(name), System.Text.Encoding.UTF8.GetBytes(outside));
        for (var at = bytes.AsSpan().IndexOf(old); at >= 0; at = bytes.AsSpan().IndexOf(old))
            next.CopyTo(bytes, at);
        File.WriteAllBytes(bench["in/net.onnx"], bytes);
        bench.Refuses(1, outside, "search", bench["in/net.onnx"], "--data", bench["net.npz"], "-o", bench["out"]);
        bench.Refuses(1, outside, "stamp", bench["in/net.onnx"], "-o", bench["out.onnx"]);
    }

    [TestMethod]
    public void A_place_that_cannot_take_the_output_is_refused()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["arch.json"], """{"op":"tanh","inputs":["0","1"]}""");
        Directory.CreateDirectory(bench["exists"]);
        bench.Refuses(2, "exists already", "search", model, "-o", bench["exists"]);
        bench.Refuses(2, "is a file", "search", model, "-o", model, "--force");
        bench.Refuses(2, "no folder", "search", model, "-o", bench["absent/out"]);
        foreach (string[] verb in new string[][] { ["stamp", model], ["prune", model, "--arch", bench["arch.json"]] })
        {
            bench.Refuses(2, "exists already", [.. verb, "-o", model]);
            bench.Refuses(2, "exists already", [.. verb, "-o", bench["exists"], "--force"]);
            bench.Refuses(2, "no folder", [.. verb, "-o", bench["absent/out.onnx"]]);
        }
    }

    [TestMethod]
    public void An_architecture_that_does_not_fit_is_refused()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var (text, because) in new[] { ("", "no JSON object"), ("{}", "'op'"), ("""{"op":"conv","inputs":["0","1"]}""", "no candidate 'conv'"), ("""{"op":"tanh","inputs":"0"}""", "takes 2") })
        {
            File.WriteAllText(bench["arch.json"], text);
            bench.Refuses(1, because, "prune", model, "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        }

        bench.Refuses(1, "absent.json", "prune", model, "--arch", bench["absent.json"], "-o", bench["out.onnx"]);
    }

    [TestMethod]
    [DataRow(), DataRow("serach"), DataRow("search"), DataRow("prune", "m.onnx"), DataRow("stamp", "m.onnx"), DataRow("verify"), DataRow("search", "m.onnx", "--epochs", "two"), DataRow("inspect", "a.onnx", "b.onnx")]
    public void Wrong_usage_is_one_line_and_exit_code_2(params string[] args)
    {
        var (code, _, error) = Workbench.Run(args);
        Assert.AreEqual(2, code, error);
        Assert.AreEqual(1, error.Count(c => c == '\n'), error);
        Assert.Contains("--help", error);
    }

    [TestMethod]
    public void A_disk_that_is_full_leaves_nothing_behind()
    {
        using var bench = new Workbench();
        var model = bench.Classifier(net =>
        {
            var x = net.Graph.Inputs[0];
            net.Graph.AddOutput(net.Linear("large", x, 4, 20_000));
            net.Graph.Outputs[^1].Type = new TensorType(ElementType.Float32, new Shape(N, 20_000));
        });
        var disk = bench["disk"];
        Directory.CreateDirectory(disk);
        if (!OperatingSystem.IsLinux() || !Try("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk))
            Assert.Inconclusive("No small disk can be mounted here.");
        try
        {
            File.WriteAllText(bench["arch.json"], """{"op":"tanh","inputs":["0","1"]}""");
            foreach (string[] args in new string[][]
            {
                ["search", model, "-o", $"{disk}/out", "--epochs", "1", "--retrain-epochs", "0"],
                ["stamp", model, "-o", $"{disk}/out.onnx"],
                ["prune", model, "--arch", bench["arch.json"], "-o", $"{disk}/out.onnx"],
            })
            {
                var (code, output, error) = Workbench.Run(args);
                Assert.AreEqual(1, code, $"{args[0]}: {error}");
                Assert.AreEqual("", output);
                var last = error.TrimEnd().Split('\n')[^1];
                Assert.StartsWith("error: ", last);
                Assert.Contains(disk, last);
                Assert.IsEmpty(Directory.GetFileSystemEntries(disk), string.Join(", ", Directory.GetFileSystemEntries(disk)));
            }
        }
        finally
        {
            Try("umount", disk);
        }
    }

    private static string Copy(string from, string to)
    {
        File.Copy(from, to, overwrite: true);
        return to;
    }

    private static bool Try(string program, params string[] args)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, args) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
