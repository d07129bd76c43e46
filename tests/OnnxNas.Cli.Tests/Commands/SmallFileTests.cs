using System.Diagnostics;
using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>Files of a few hundred bytes that ask for gigabytes or minutes.</summary>
[TestClass]
public sealed class SmallFileTests
{
    private static readonly Dim N = Dim.Symbol("N");

    /// <summary>Nodes that make about a gigabyte, or more, of a few numbers.</summary>
    public static IEnumerable<object[]> Large =>
    [
        ["ConstantOfShape", (NetBuilder net) => net.Op("ConstantOfShape", Ints(net, 16_384, 16_384))],
        ["Expand", (NetBuilder net) => net.Op("Expand", net.Weight("w", 1, 1), Ints(net, 16_384, 16_384))],
        ["Pad", (NetBuilder net) => net.Op("Pad", net.Weight("w", 1, 1), Ints(net, 8_000, 8_000, 8_000, 8_000))],
        ["RandomNormal", (NetBuilder net) => net.Op("RandomNormal", [], Attr.Of("shape", [16_384L, 16_384]))],
        ["AveragePool", (NetBuilder net) => net.Op("AveragePool", [net.Weight("w", 1, 1, 2, 2)], Attr.Of("kernel_shape", [40_001L, 40_001]), Attr.Of("pads", [40_000L, 40_000, 40_000, 40_000]), Attr.Of("strides", [50_000L, 50_000]))],
        ["RoiAlign", (NetBuilder net) => net.Op("RoiAlign", [net.Weight("w", 1, 1, 4, 4), net.Constant("roi", [1, 4], i => i), Ints(net, 0)], Attr.Of("sampling_ratio", 12_000L))],
        ["LRN", (NetBuilder net) => net.Op("LRN", [net.Weight("w", 1, 4, 2, 2)], Attr.Of("size", 999_999_999L))],
    ];

    [TestMethod]
    [DynamicData(nameof(Large))]
    public void A_run_that_would_take_too_much_is_refused_with_the_node_and_the_numbers(string op, Func<NetBuilder, Value> make)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = net.Op("Add", net.LayerChoice("op", null, net.Op("Relu", x), net.Op("Tanh", x)), net.Op("ReduceMax", [make(net)], Attr.Of("keepdims", 0L)));
        var model = bench.Save(net.Build((y, [N, 4])));
        File.WriteAllText(bench["arch.json"], "{\"op\": \"1\"}");

        Assert.AreEqual(0, Workbench.Run("inspect", model).Code);
        var (code, output, _) = Workbench.Run("verify", model, "--json");
        Assert.AreEqual(1, code);
        Assert.Contains(op, output);
        Assert.Contains("MiB", output);
        bench.SaveData("net.npz", Workbench.Samples());
        bench.Refuses(1, "MiB", "search", model, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
        bench.Refuses(1, "MiB", "prune", model, "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        Assert.IsFalse(File.Exists(bench["out.onnx"]));
    }

    /// <summary>Nodes that make about a gigabyte, or more, of an input.</summary>
    public static IEnumerable<object[]> LargeOfInput =>
    [
        ["Add", (NetBuilder net, Value x) => net.Op("Add", net.Op("Expand", One(net, x), Ints(net, 16_384, 1)), net.Op("Expand", One(net, x), Ints(net, 1, 16_384)))],
        ["Concat", (NetBuilder net, Value x) => Enumerable.Range(0, 64).Aggregate(x, (value, _) => net.Op("Concat", [value, value], Attr.Of("axis", 1L)))],
        ["Concat", (NetBuilder net, Value x) => Doubled(net, One(net, x))],
    ];

    [TestMethod]
    [DynamicData(nameof(LargeOfInput))]
    public void What_a_search_would_take_too_much_of_an_input_for_is_refused_before_anything_runs(string op, Func<NetBuilder, Value, Value> make)
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        // The second candidate asks for it.
        var y = net.LayerChoice("op", null, net.Op("Relu", x), net.Op("Add", x, net.Op("ReduceMax", [make(net, x)], Attr.Of("keepdims", 0L))));
        var model = bench.Save(net.Build((y, [N, 4])));
        bench.SaveData("net.npz", Workbench.Samples());
        bench.Refuses(1, "MiB", "search", model, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
        bench.Refuses(1, op, "search", model, "--data", bench["net.npz"], "-o", bench["out"]);
    }

    [TestMethod]
    public void A_sparse_initializer_that_claims_a_gigabyte_is_unsupported_in_one_line()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var sparse = net.Graph.AddValue("sparse");
        var y = net.Op("Add", net.LayerChoice("op", null, net.Op("Relu", x), net.Op("Tanh", x)), net.Op("ReduceMax", [sparse], Attr.Of("keepdims", 0L)));
        var built = net.Build((y, [N, 4]));
        built.Graph.SparseInitializers.Add(new(TensorData.Vector(1f), TensorData.Vector(5L), [400_000_000]) { Name = "sparse" });
        var model = bench.Save(built);
        File.WriteAllText(bench["arch.json"], "{\"op\": \"1\"}");
        bench.Refuses(1, "Sparse initializer 'sparse'", "prune", model, "--arch", bench["arch.json"], "-o", bench["out.onnx"]);
        var (code, output, _) = Workbench.Run("verify", model, "--json");
        Assert.AreEqual(0, code);
        Assert.Contains("unsupported", output);
        bench.SaveData("net.npz", Workbench.Samples());
        bench.Refuses(1, "Sparse initializer 'sparse'", "search", model, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
    }

    private static Value One(NetBuilder net, Value x) => net.Op("Reshape", net.Op("ReduceMax", [x], Attr.Of("keepdims", 0L)), Ints(net, 1, 1));

    // 64 rounds of a loop, each of which makes twice what the last one made.
    private static Value Doubled(NetBuilder net, Value start)
    {
        var body = new Graph("body", net.Graph);
        body.AddInput("i", new TensorType(ElementType.Int64, new Shape()));
        var go = body.AddInput("go", new TensorType(ElementType.Bool, new Shape()));
        var state = body.AddInput("state", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("L"), 1)));
        body.AddOutput(body.Call("Identity", [go], "still"));
        body.AddOutput(body.Call("Concat", [state, state], "next", attributes: [Attr.Of("axis", 0L)]));
        return net.Op("Loop", [net.Graph.AddInitializer("rounds", TensorData.Scalar(64L)), null, start], Attr.Of("body", body));
    }

    [TestMethod]
    public void Memory_that_is_allowed_makes_the_difference()
    {
        using var bench = new Workbench();
        var net = new NetBuilder();
        var y = net.Op("Add", net.Input("x", N, 4), net.Op("ReduceMax", [net.Op("ConstantOfShape", Ints(net, 1_024, 1_024))], Attr.Of("keepdims", 0L)));
        var model = bench.Save(net.Build((y, [N, 4])));
        Assert.AreEqual(0, Workbench.Run("verify", model).Code);
        Assert.AreEqual(0, Workbench.Run("verify", model, "--memory", "64M").Code);
        var (code, output, _) = Workbench.Run("verify", model, "--memory", "2MiB", "--json");
        Assert.AreEqual(1, code);
        Assert.Contains("2 MiB", output);
        bench.Refuses(2, "--memory lots", "verify", model, "--memory", "lots");
    }

    [TestMethod]
    public void Inputs_of_enormous_extents_are_counted_and_not_made()
    {
        using var bench = new Workbench();
        foreach (var shape in (Dim[][])[[Dim.Parse("9223372036854775807"), 13], [Dim.Known(65_536), 65_536, 13]])
        {
            var net = new NetBuilder();
            var x = net.Input("x", shape);
            var y = net.LayerChoice("op", null, net.Op("Relu", x), net.Op("MatMul", x, net.Weight("w", 13, 13)));
            var model = bench.Save(net.Build((y, shape)));
            Assert.AreEqual(0, Workbench.Run("inspect", model).Code);
            var (code, output, _) = Workbench.Run("verify", model, "--json");
            Assert.AreEqual(1, code);
            Assert.Contains("\"status\": \"error\"", output);
        }
    }

    [TestMethod]
    public void A_dimension_without_end_is_a_name()
    {
        using var bench = new Workbench();
        var nest = "q";
        for (var i = 0; i < 8; i++)
            nest = $"min(({nest}+a+b+c+d+e+f+g)*(aa+bb+cc+dd+ee+ff+gg+hh),z)";
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Parse(nest), 4);
        var size = net.Op("Shape", x);
        for (var i = 0; i < 40; i++)
            size = net.Op("Mul", size, size);
        var y = net.Op("Add", net.LayerChoice("op", null, net.Op("Relu", x), net.Op("Tanh", x)), net.Op("Cast", [net.Op("ReduceMax", [size], Attr.Of("keepdims", 0L))], Attr.Of("to", 1L)));
        var model = bench.Save(net.Build((y, [Dim.Parse(nest), 4])));
        var (code, output, _) = Workbench.Run("inspect", model);
        Assert.AreEqual(0, code);
        Assert.IsTrue(output.Split('\n').All(l => l.Length < 400), output);
        Assert.AreEqual(0, Workbench.Run("verify", model).Code);
    }

    [TestMethod]
    public void A_choice_of_a_hundred_thousand_is_verified_and_no_supernet_is_made_of_it()
    {
        using var bench = new Workbench();
        bench.Classifier();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = net.LayerChoice("wide", null, [.. Enumerable.Repeat(net.Op("Relu", x), 100_000)]);
        var model = bench.Save(net.Build((net.Linear("head", y, 4, 2), [N, 2])));
        Assert.AreEqual(0, Workbench.Run("verify", model).Code);
        bench.Refuses(1, "100000 candidates", "search", model, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
    }

    [TestMethod]
    public void Thousands_of_choices_in_a_row_are_verified_and_no_supernet_is_made_of_them()
    {
        using var bench = new Workbench();
        bench.Classifier();
        var net = new NetBuilder();
        var y = net.Input("x", N, 4);
        for (var i = 0; i < 10_000; i++)
            y = net.Graph.Call("LayerChoice", [net.Graph.Call("Tanh", [y], $"t{i}"), y], $"y{i}", "org.onnxnas", [Attr.Of("label", $"c{i}")]);
        var model = bench.Save(net.Build((net.Linear("head", y, 4, 2), [N, 2])));
        Assert.AreEqual(0, Workbench.Run("inspect", model).Code);
        Assert.AreEqual(0, Workbench.Run("verify", model).Code);
        bench.Refuses(1, "10000 choices", "search", model, "--data", bench["net.npz"], "-o", bench["out"], "--dry-run");
    }

    [TestMethod]
    public void A_huge_space_is_told_in_a_few_characters_and_to_json_in_all_digits()
    {
        using var bench = new Workbench();
        bench.Classifier();
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var y = net.InputChoice("some", 5_000, "sum", [.. Enumerable.Repeat(net.Op("Relu", x), 10_000)]);
        var model = bench.Save(net.Build((net.Linear("head", y, 4, 2), [N, 2])));
        var (code, output, _) = Workbench.Run("inspect", model);
        Assert.AreEqual(0, code);
        Assert.Contains("space       1.6e3008 architectures", output);
        Assert.IsTrue(output.Split('\n').All(l => l.Length < 400), "A line is too long for people.");
        Assert.MatchesRegex("\"space_size\": \"[0-9]{3009}\"", Workbench.Run("inspect", model, "--json").Output);
        var (grid, _, error) = Workbench.Run("search", model, "--data", bench["net.npz"], "--strategy", "grid", "--epochs", "2", "-o", bench["out"], "--dry-run");
        Assert.AreEqual(1, grid);
        Assert.Contains("1.6e3008", error);
        Assert.IsLessThan(400, error.Length);
    }

    [TestMethod]
    [DataRow("TERM")]
    [DataRow("INT")]
    public void The_first_signal_ends_a_command_that_writes_nothing(string signal)
    {
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("There are no signals.");
        using var bench = new Workbench();
        // A file that takes a while to read, on any machine.
        var net = new NetBuilder();
        var y = net.Input("x", N, 4);
        for (var i = 0; i < 250_000; i++)
            y = net.Graph.Call("Relu", [y], $"y{i}");
        var model = bench.Save(net.Build((y, [N, 4])));
        var start = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var argument in new[] { typeof(CommandLine).Assembly.Location, "inspect", model })
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        // Handlers are there soon after the start; a signal before would end it with another code.
        while (!process.HasExited && process.TotalProcessorTime < TimeSpan.FromSeconds(1))
            Thread.Sleep(20);
        Assert.IsFalse(process.HasExited, "The command was done before it could be interrupted.");
        using var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (signal == "INT" && process.ExitCode == 0)
            Assert.Inconclusive("SIGINT is ignored where the tests run.");
        Assert.AreEqual(130, process.ExitCode);
        Assert.Contains("interrupted", error);
        Assert.AreEqual("", process.StandardOutput.ReadToEnd());
    }

    private static Value Ints(NetBuilder net, params long[] values) => net.Graph.AddConstant("i", TensorData.Vector<long>(values));
}
