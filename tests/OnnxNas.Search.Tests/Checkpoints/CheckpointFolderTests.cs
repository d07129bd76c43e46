using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Checkpoints;

[TestClass]
public sealed class CheckpointFolderTests
{
    [TestMethod]
    public void The_newest_state_is_kept_and_no_other()
    {
        using var temporary = new TemporaryFolder();
        var path = temporary.File("c");
        var folder = CheckpointFolder.Create(path, new() { ["model"] = "m" });
        Assert.IsFalse(CheckpointFolder.Exists(path));
        folder.Save(State(1));
        folder.Save(State(2));
        CollectionAssert.AreEqual((string[])["checkpoint.json", "state-2.safetensors"], Files(path));
        var (again, state) = CheckpointFolder.Open(path);
        Assert.AreEqual(2, Value(state));
        Assert.AreEqual("m", (string?)again.About["model"]);
        again.Save(State(3));
        CollectionAssert.AreEqual((string[])["checkpoint.json", "state-3.safetensors"], Files(path));
        Assert.AreEqual(3, Value(CheckpointFolder.Open(path).State));
    }

    [TestMethod]
    public void A_process_killed_at_any_point_of_saving_leaves_a_whole_state()
    {
        using var temporary = new TemporaryFolder();
        var (path, next) = (temporary.File("c"), temporary.File("next"));
        CheckpointFolder.Create(path, []).Save(State(1));
        // What the second save leaves behind, step by step.
        CopyFolder(path, next);
        CheckpointFolder.Open(next).Folder.Save(State(2));
        var (tensors, index) = (File.ReadAllBytes(Path.Combine(next, "state-2.safetensors")), File.ReadAllBytes(Path.Combine(next, "checkpoint.json")));
        (string Name, byte[] Bytes, double Expected)[] moments =
        [
            (".state-2.safetensors.abcdefgh.xyz", tensors[..10], 1),
            (".state-2.safetensors.abcdefgh.xyz", tensors, 1),
            ("state-2.safetensors", tensors, 1),
            (".checkpoint.json.abcdefgh.xyz", index[..10], 1),
            (".checkpoint.json.abcdefgh.xyz", index, 1),
            ("checkpoint.json", index, 2),
        ];
        foreach (var (name, bytes, expected) in moments)
        {
            File.WriteAllBytes(Path.Combine(path, name), bytes);
            Assert.AreEqual(expected, Value(CheckpointFolder.Open(path).State), name);
        }

        // The next save clears up.
        CheckpointFolder.Open(path).Folder.Save(State(3));
        CollectionAssert.AreEqual((string[])["checkpoint.json", "state-3.safetensors"], Files(path));
    }

    [TestMethod]
    public void A_state_that_cannot_be_written_leaves_the_one_before()
    {
        using var temporary = new TemporaryFolder();
        var folder = CheckpointFolder.Create(temporary.Path, []);
        folder.Save(State(1));
        // A folder in the place of the next file.
        Directory.CreateDirectory(temporary.File("state-2.safetensors"));
        Assert.Throws<OnnxNasException>(() => folder.Save(State(2)));
        Assert.AreEqual(1, Value(CheckpointFolder.Open(temporary.Path).State));
        Directory.Delete(temporary.File("state-2.safetensors"));
        folder.Save(State(3));
        Assert.AreEqual(3, Value(CheckpointFolder.Open(temporary.Path).State));
    }

    [TestMethod]
    public void Deleting_leaves_what_others_put_there()
    {
        using var temporary = new TemporaryFolder();
        var path = temporary.File("c");
        var folder = CheckpointFolder.Create(path, []);
        folder.Save(State(1));
        folder.Delete();
        Assert.IsFalse(Directory.Exists(path));
        folder = CheckpointFolder.Create(path, []);
        folder.Save(State(1));
        File.WriteAllText(Path.Combine(path, "note.txt"), "mine");
        folder.Delete();
        CollectionAssert.AreEqual((string[])["note.txt"], Files(path));
    }

    [TestMethod]
    public void Damage_is_told_from_a_state()
    {
        using var temporary = new TemporaryFolder();
        Refuses(temporary.File("none"), "no checkpoint in");
        CheckpointFolder.Create(temporary.Path, []).Save(State(1));
        var (index, tensors) = (temporary.File("checkpoint.json"), temporary.File("state-1.safetensors"));
        var (goodIndex, goodTensors) = (File.ReadAllText(index), File.ReadAllBytes(tensors));

        foreach (var (part, instead, because) in new[]
        {
            ("\"format\":2", "\"format\":1", "of format 1; this version reads 2"),
            ("\"format\":2", "\"format\":\"2\"", "of format \"2\""),
            ("\"format\":2,", "", "of format unknown"),
            ("state-1.safetensors", "../state-1.safetensors", "damaged"),
            ("state-1.safetensors", "state-99999999999999999999.safetensors", "damaged"),
            ("state-1.safetensors", "state-3.safetensors", "checkpoint.json' is not as it was written"),
            ("\"about\":{}", "\"about\":{\"options\":{\"plugin\":\"evil.dll\"}}", "checkpoint.json' is not as it was written"),
            ("\"checksum\":\"", "\"checksum\":\"0", "checkpoint.json' is not as it was written"),
            (",\"checksum\":", ",\"checkum\":", "damaged"),
            ("\"sha256\":\"", "\"sha256\":\"0", "SHA-256 differs"),
            ("\"about\":{}", "\"about\":[]", "damaged"),
            ("\"about\":{},", "", "damaged"),
            ("\"about\":{}", "\"about\":{},\"about\":{}", "damaged"),
            ("\"about\":{}", "\"about\":{},\"more\":{}", "damaged"),
            ("\"state\":{", "\"state\":[{", "damaged"),
        })
        {
            Assert.Contains(part, goodIndex);
            File.WriteAllText(index, goodIndex.Replace(part, instead, StringComparison.Ordinal));
            Refuses(temporary.Path, because);
        }

        for (var length = 0; length < goodIndex.Length; length++)
        {
            File.WriteAllText(index, goodIndex[..length]);
            Refuses(temporary.Path, "damaged");
        }

        File.WriteAllText(index, goodIndex);
        File.Move(tensors, tensors + ".away");
        Refuses(temporary.Path, "'state-1.safetensors', which is missing");
        File.Move(tensors + ".away", tensors);
        foreach (var at in new[] { 0, 20, goodTensors.Length - 1 })
        {
            byte[] changed = [.. goodTensors];
            changed[at] ^= 1;
            File.WriteAllBytes(tensors, changed);
            Refuses(temporary.Path, "SHA-256 differs");
        }
    }

    [TestMethod]
    public void A_place_that_takes_no_folder_is_told_before_any_work()
    {
        using var temporary = new TemporaryFolder();
        File.WriteAllText(temporary.File("c"), "a file");
        Assert.Contains("cannot be made", Assert.ThrowsExactly<CheckpointException>(() => CheckpointFolder.Create(temporary.File("c"), [])).Message);
    }

    [TestMethod]
    public void What_the_search_is_of_cannot_be_changed_from_outside()
    {
        using var temporary = new TemporaryFolder();
        var about = new JsonObject { ["model"] = "m" };
        var folder = CheckpointFolder.Create(temporary.Path, about);
        about["model"] = "other";
        folder.About["model"] = "other";
        Assert.AreEqual("m", (string?)folder.About["model"]);
    }

    [TestMethod]
    public void The_fingerprint_of_a_model_is_of_its_file_and_of_the_weights_beside_it()
    {
        using var temporary = new TemporaryFolder();
        var net = new NetBuilder();
        var model = net.Build((net.Linear("l", net.Input("x", Dim.Symbol("N"), 4), 4, 2), [Dim.Symbol("N"), 2]));
        var path = temporary.File("m.onnx");
        Ir.Serialization.OnnxFile.Write(model, path);
        Assert.AreEqual(Fingerprint.OfFile(path), Fingerprint.OfModel(path, model));
        var before = Fingerprint.OfModel(path, model);
        foreach (var weights in new[] { 1f, 2f })
        {
            var value = model.Graph.Initializers.First();
            var bytes = TensorData.Vector<float>([.. Enumerable.Repeat(weights, (int)value.Initializer!.ElementCount)]).Bytes;
            model.Graph.SetInitializer(value, TensorData.Deferred(ElementType.Float32, value.Initializer.Dims, () => bytes));
            var after = Fingerprint.OfModel(path, model);
            Assert.AreNotEqual(before, after);
            before = after;
        }
    }

    private static CheckpointState State(double value)
    {
        using var scope = NewDisposeScope();
        var state = new CheckpointState();
        state.Section("part").Put("value", value);
        state.Section("part").Put("tensor", tensor(new double[] { value, value }));
        return state;
    }

    private static double Value(CheckpointState state)
    {
        using var scope = NewDisposeScope();
        var target = zeros(2, ScalarType.Float64);
        state.Section("part").CopyInto("tensor", target);
        Assert.AreEqual(state.Section("part").GetDouble("value"), target[1].item<double>());
        return target[0].item<double>();
    }

    private static void Refuses(string path, string because)
    {
        var message = Assert.ThrowsExactly<CheckpointException>(() => CheckpointFolder.Open(path)).Message;
        Assert.Contains(because, message);
        Assert.DoesNotContain('\n', message);
    }

    private static string[] Files(string path) => [.. Directory.GetFileSystemEntries(path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
