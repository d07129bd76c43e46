using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Pipes, devices, endless links and folders wherever a file is named: refused in one line, and nothing waits.</summary>
[TestClass]
public sealed class SpecialFileTests
{
    private static readonly string[] Kinds = ["pipe", "zero", "loop", "dangling", "folder"];

    [TestMethod]
    public void Every_file_that_is_named_must_be_one()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        File.WriteAllText(bench["arch.json"], """{"op":"tanh","inputs":["0","1"]}""");
        Directory.CreateDirectory(bench["s"]);
        foreach (var extension in (string[])[".onnx", ".npz", ".json", ".dll"])
            SpecialFiles.MakeAll(kind => bench[$"s/{kind}{extension}"]);
        foreach (var kind in Kinds)
        {
            string Named(string extension) => bench[$"s/{kind}{extension}"];
            bench.Refuses(1, kind, "inspect", Named(".onnx"));
            bench.Refuses(1, kind, "stamp", Named(".onnx"), "-o", bench["out.onnx"]);
            bench.Refuses(1, kind, "search", Named(".onnx"), "--data", bench["net.npz"], "-o", bench["out"]);
            bench.Refuses(1, kind, "prune", Named(".onnx"), "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
            bench.Refuses(1, kind, "prune", model, "--arch", Named(".json"), "-o", bench["out.onnx"]);
            foreach (var role in (string[])["--data", "--valid", "--test"])
                bench.Refuses(1, kind, "search", model, role, Named(".npz"), "-o", bench["out"]);
            bench.Refuses(2, kind, "search", model, "--config", Named(".json"), "-o", bench["out"]);
            bench.Refuses(1, kind, "search", model, "--plugin", Named(".dll"), "-o", bench["out"]);
            if (kind != "folder")
            {
                var (code, output, error) = Workbench.Run("verify", Named(".onnx"));
                Assert.AreEqual(1, code, error);
                Assert.Contains("error", output);
            }
        }
    }

    [TestMethod]
    public void Tensors_of_a_test_case_must_be_files()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var (kind, name) in from kind in Kinds from name in (string[])["input_0.pb", "output_0.pb"] select (kind, name))
        {
            var set = bench[$"{kind}_{name}/test_data_set_0"];
            Directory.CreateDirectory(set);
            File.Copy(model, bench[$"{kind}_{name}/model.onnx"]);
            if (name == "output_0.pb")
                // Float[2,4] of zeros: dims, data type and raw data.
                File.WriteAllBytes(Path.Combine(set, "input_0.pb"), [0x08, 2, 0x08, 4, 0x10, 1, 0x4A, 32, .. new byte[32]]);
            SpecialFiles.MakeAll(k => k == kind ? Path.Combine(set, name) : bench[$"{kind}_{name}/{k}"]);
            var (code, output, error) = Workbench.Run("verify", bench[$"{kind}_{name}"], "--json");
            Assert.AreEqual(1, code, error);
            Assert.Contains("\"status\": \"error\"", output);
        }
    }

    [TestMethod]
    public void Files_of_a_checkpoint_must_be_files()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var kind in Kinds)
        {
            var folder = bench[$"{kind}.checkpoint"];
            Search.Checkpoints.CheckpointFolder.Create(folder, []).Save(new());
            Search.Checkpoints.SearchLock.Take(folder).Dispose();
            File.Delete(Path.Combine(folder, "state-1.safetensors"));
            SpecialFiles.MakeAll(k => k == kind ? Path.Combine(folder, "state-1.safetensors") : bench[$"{kind}.{k}"]);
            bench.Refuses(1, "state-1.safetensors", "search", model, "--resume", bench[kind]);
            File.Delete(Path.Combine(folder, "checkpoint.json"));
            if (kind is "pipe" or "zero")
            {
                File.Move(Path.Combine(folder, "state-1.safetensors"), Path.Combine(folder, "checkpoint.json"));
                bench.Refuses(1, "checkpoint.json", "search", model, "--resume", bench[kind]);
            }
        }
    }

    [TestMethod]
    public void Large_files_of_nothing_are_refused_unread()
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        foreach (var name in (string[])["s.onnx", "s.json", "s.npz", "s.dll"])
            SpecialFiles.Sparse(bench[name], 1_900_000_000);
        var before = GC.GetTotalAllocatedBytes();
        bench.Refuses(1, "s.onnx", "inspect", bench["s.onnx"]);
        bench.Refuses(1, "s.json", "prune", model, "--arch", bench["s.json"], "-o", bench["out.onnx"]);
        bench.Refuses(2, "s.json", "search", model, "--config", bench["s.json"], "-o", bench["out"]);
        bench.Refuses(1, "s.npz", "search", model, "--data", bench["s.npz"], "-o", bench["out"]);
        bench.Refuses(1, "s.dll", "search", model, "--plugin", bench["s.dll"], "-o", bench["out"]);
        Assert.IsLessThan(256_000_000L, GC.GetTotalAllocatedBytes() - before);
    }
}
