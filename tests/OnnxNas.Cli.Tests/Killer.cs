using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

/// <summary>
/// A model that ends the process it runs in: it divides the least int64 by −1, which the processor traps and ONNX Runtime does not check. Both are computed from
/// the input, so that nothing in the file gives them away.
/// </summary>
internal static class Killer
{
    /// <summary>Adds the division; the result is x with noise of no size.</summary>
    public static Value Divide(NetBuilder net, Value x)
    {
        var zero = net.Op("Cast", [net.Op("Mul", x, net.Constant("tiny", [], _ => 1e-9))], Attr.Of("to", (long)ElementType.Int64));
        var least = net.Op("Add", zero, net.Graph.AddInitializer("least", TensorData.Scalar(long.MinValue)));
        var minusOne = net.Op("Add", zero, net.Graph.AddInitializer("minus_one", TensorData.Scalar(-1L)));
        var quotient = net.Op("Cast", [net.Op("Div", least, minusOne)], Attr.Of("to", (long)ElementType.Float32));
        return net.Op("Add", x, net.Op("Mul", quotient, net.Constant("tiniest", [], _ => 1e-30)));
    }

    /// <summary>A plain one.</summary>
    public static Model Plain()
    {
        var net = new NetBuilder();
        return net.Build((Divide(net, net.Input("x", Dim.Symbol("N"), 4)), [Dim.Symbol("N"), 4]));
    }

    /// <summary>A marked one of two candidates.</summary>
    public static Model Marked()
    {
        var net = new NetBuilder();
        var x = net.Input("x", Dim.Symbol("N"), 4);
        var chosen = net.LayerChoice("op", ["linear", "tanh"], net.Linear("a", x, 4, 4), net.Op("Tanh", x));
        return net.Build((net.Linear("head", Divide(net, chosen), 4, 2), [Dim.Symbol("N"), 2]));
    }
}
