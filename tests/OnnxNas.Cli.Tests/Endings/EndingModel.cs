using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests.Endings;

/// <summary>The marked model of a row. Both candidates of its one choice compute the same, so that whichever wins is the supernet.</summary>
internal static class EndingModel
{
    public const int Features = 6;
    public const int Positions = 4;
    private static readonly Dim N = Dim.Symbol("N");

    public static int Classes(EndingCase row) => row.IsBinary ? 1 : row.Head == Head.Einsum ? Positions : 3;

    public static Model Build(EndingCase row)
    {
        var net = new NetBuilder(3);
        var x = net.Input("x", Dims(row, Features));
        var hidden = net.Op("Tanh", Layer(net, row.Head, "body", x, Features));
        var choice = net.LayerChoice("op", ["plain", "twice"], hidden, net.Op("Neg", net.Op("Neg", hidden)));
        var logits = Layer(net, row.Head, "head", choice, Classes(row));
        var (axis, end) = (row.Head switch { Head.Gemm or Head.Conv => 1, _ => 2 }, Dims(row, Classes(row)));
        var model = row.Ending switch
        {
            Ending.Logits => net.Build((logits, end)),
            Ending.Sigmoid => net.Build((net.Op("Sigmoid", logits), end)),
            Ending.Softmax or Ending.LogSoftmax => net.Build((net.Op(row.Ending.ToString(), [logits], Attr.Of("axis", (long)axis)), end)),
            Ending.Several => net.Build((net.Op("Softmax", [logits], Attr.Of("axis", (long)axis)), end), (logits, end)),
            _ => WithClasses(net, logits, axis, end),
        };
        model.OpsetImports[""] = row.Opset;
        model.IrVersion = row.Opset < 10 ? 4 : 8;
        return model;
    }

    private static Model WithClasses(NetBuilder net, Value logits, int axis, Dim[] end)
    {
        var classes = net.Op("ArgMax", [logits], Attr.Of("axis", (long)axis), Attr.Of("keepdims", 0L));
        classes.Type = new TensorType(ElementType.Int64, new Shape([.. end.Where((_, i) => i != axis)]));
        return net.Build((classes, end), (logits, end));
    }

    private static Dim[] Dims(EndingCase row, int channels) => row.Head switch
    {
        Head.Gemm => [N, channels],
        Head.Conv => [N, channels, 2, Positions / 2],
        _ => [N, Positions, channels],
    };

    private static Value Layer(NetBuilder net, Head head, string name, Value x, int to)
    {
        long from = Features;
        return head switch
        {
            Head.Gemm => net.Linear(name, x, from, to),
            Head.Conv => net.Op("Conv", x, net.Weight($"{name}.weight", to, from, 1, 1), net.Weight($"{name}.bias", to)),
            Head.MatMul => net.Op("Add", net.Op("MatMul", x, net.Weight($"{name}.weight", from, to)), net.Weight($"{name}.bias", to)),
            _ => net.Op("Add", net.Op("Einsum", [x, net.Weight($"{name}.weight", from, to)], Attr.Of("equation", "ntf,fc->ntc")), net.Weight($"{name}.bias", to)),
        };
    }
}
