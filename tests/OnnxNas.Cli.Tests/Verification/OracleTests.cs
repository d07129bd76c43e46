using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Verification;

/// <summary>What <c>verify</c> hands to ONNX Runtime: what outputs need, in amounts that can be copied.</summary>
[TestClass]
public sealed class OracleTests : IDisposable
{
    private readonly Workbench bench = new();

    public void Dispose() => bench.Dispose();

    [TestMethod]
    public void Nodes_that_no_output_needs_are_not_run()
    {
        // ONNX Runtime would find only while it runs that there is no element 9.
        var outside = Net((net, x) =>
        {
            var nine = net.Op("Add", net.Op("Mul", x, net.Constant("zero", [1], _ => 0)), net.Constant("nine", [1], _ => 9));
            net.Op("Gather", [net.Op("Tanh", x), net.Op("Cast", [nine], Attr.Of("to", (long)ElementType.Int64))], Attr.Of("axis", 1L));
            return net.Op("Relu", x);
        });
        var (code, output, _) = Workbench.Run("verify", bench.Save(outside));
        Assert.AreEqual(0, code, output);
    }

    [TestMethod]
    public void Inputs_are_drawn_only_where_copies_of_them_fit()
    {
        // 57 MiB, which is less than the run may take, and four times that is more.
        var net = new NetBuilder();
        var path = bench.Save(net.Build((net.Op("ReduceMax", net.Input("x", 1, 15_000_000)), [1, 1])));
        var (code, output, _) = Workbench.Run("verify", path, "--json");
        Assert.AreEqual(1, code);
        Assert.Contains("takes 57 MiB", output);
        Assert.AreEqual(0, Workbench.Run("verify", path, "--memory", "1G").Code);
    }

    [TestMethod]
    public void Extents_that_are_too_large_are_refused_before_ONNX_Runtime_loads_them()
    {
        var net = new NetBuilder();
        var shape = net.Graph.AddInput("shape", new TensorType(ElementType.Int64, new Shape([long.MaxValue])));
        var output = Workbench.Run("verify", bench.Save(net.Build((net.Op("Expand", net.Input("x", 3, 1), shape), [Dim.Unknown()]))), "--json").Output;
        Assert.Contains("Input 'shape' [9223372036854775807]", output);
    }

    [TestMethod]
    public void Operators_of_a_supernet_are_refused_in_files()
    {
        foreach (var op in new[] { "Select", "Mix", "Module" })
        {
            var model = Net((net, x) => net.Graph.Call(op, [x, x], "y", "org.onnxnas.supernet", [Attr.Of("chosen", (IEnumerable<long>)[7L]), Attr.Of("index", 7L)]));
            model.OpsetImports["org.onnxnas.supernet"] = 1;
            var path = bench.Save(model);
            bench.Refuses(1, "files cannot use", "inspect", path);
            Assert.Contains("files cannot use", Workbench.Run("verify", path, "--json").Output);
        }
    }

    private static Model Net(Func<NetBuilder, Value, Value> make)
    {
        var net = new NetBuilder();
        return net.Build((make(net, net.Input("x", 2, 4)), [2, 4]));
    }
}
