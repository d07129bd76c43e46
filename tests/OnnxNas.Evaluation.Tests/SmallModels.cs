using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Evaluation.Tests;

/// <summary>Models of one node, as file bytes.</summary>
internal static class SmallModels
{
    /// <summary>y = op(x), where x is of this type and shape. Symbols are names, numbers are fixed.</summary>
    public static byte[] Unary(string op, ElementType type, params object[] dims) => Bytes(type, dims, (graph, x) =>
    {
        var y = graph.AddValue("y", new TensorType(type, Extents(dims)));
        graph.AddNode(op, [x], [y]);
        return y;
    });

    /// <summary>A model of one input x; the body adds nodes and returns the (last) output.</summary>
    public static byte[] Bytes(ElementType type, object[] dims, Func<Graph, Value, Value> body, int opset = 17)
    {
        var graph = new Graph("g");
        var x = graph.AddInput("x", new TensorType(type, Extents(dims)));
        graph.AddOutput(body(graph, x));
        var model = new Model(graph) { IrVersion = 8 };
        model.OpsetImports[""] = opset;
        return OnnxFile.ToBytes(model);
    }

    public static Shape Extents(object[] dims) => new(dims.Select(d => d is int number ? (Dim)number : Dim.Parse((string)d)));
}
