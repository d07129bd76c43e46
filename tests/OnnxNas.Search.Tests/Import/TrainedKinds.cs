using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Import;

/// <summary>Ways in which models read a parameter <c>p</c>, each as a net of x <c>[N,3,4]</c>.</summary>
internal static class TrainedKinds
{
    private static readonly Dim N = Dim.Symbol("N");

    /// <summary>By name: what the parameter's shape is, what it starts as, and what is made of it and of values <c>[N,3,4]</c>.</summary>
    public static IReadOnlyDictionary<string, (long[] Dims, Func<int, double> Start, Func<NetBuilder, Value, Value, Value> Use)> All { get; } =
        new Dictionary<string, (long[], Func<int, double>, Func<NetBuilder, Value, Value, Value>)>
        {
            ["x*p"] = ([1], _ => 0.7, (net, x, p) => net.Op("Mul", x, p)),
            ["x*p, p a scalar"] = ([], _ => 0.7, (net, x, p) => net.Op("Mul", x, p)),
            ["x*p, p 0"] = ([1], _ => 0, (net, x, p) => net.Op("Add", net.Op("Mul", net.Op("Tanh", x), p), x)),
            ["x+p"] = ([1], _ => 0.3, (net, x, p) => net.Op("Add", x, p)),
            ["x+p, p 0"] = ([1], _ => 0, (net, x, p) => net.Op("Add", x, p)),
            ["x-p"] = ([1], _ => 0.3, (net, x, p) => net.Op("Sub", x, p)),
            ["x/p"] = ([1], _ => 1, (net, x, p) => net.Op("Div", x, p)),
            ["swish"] = ([1], _ => 1.2, (net, x, p) => net.Op("Mul", x, net.Op("Sigmoid", net.Op("Mul", x, p)))),
            ["exp(p)*x"] = ([], _ => 0.2, (net, x, p) => net.Op("Mul", x, net.Op("Exp", p))),
            ["tanh(p)*x, p 0"] = ([1], _ => 0, (net, x, p) => net.Op("Add", x, net.Op("Mul", net.Op("Sin", x), net.Op("Tanh", p)))),
            ["softplus(p)*x"] = ([4], i => 0.1 * i, (net, x, p) => net.Op("Mul", x, net.Op("Softplus", p))),
            ["sigmoid(p)*x"] = ([4], i => 0.1 * i, (net, x, p) => net.Op("Mul", x, net.Op("Sigmoid", p))),
            ["clip(p)*x"] = ([4], i => 0.1 * i + 0.05, (net, x, p) => net.Op("Mul", x, net.Op("Clip", p, net.Constant("min", [], _ => -1), net.Constant("max", [], _ => 1)))),
            ["clip(x, max p)"] = ([], _ => 0.3, (net, x, p) => net.Op("Clip", x, null, p)),
            ["pow(x, p)"] = ([1], _ => 3, (net, x, p) => net.Op("Pow", net.Op("Add", net.Op("Abs", x), net.Constant("one", [], _ => 1)), p)),
            ["max(x, p)"] = ([1], _ => 0.1, (net, x, p) => net.Op("Max", x, p)),
            ["min(x, p)"] = ([4], i => 0.1 * i, (net, x, p) => net.Op("Min", x, p)),
            ["where(x > 0, x, p)"] = ([4], i => 0.1 * i, (net, x, p) => net.Op("Where", net.Op("Greater", x, net.Constant("zero", [], _ => 0)), x, p)),
            ["|p| as a weight"] = ([4, 4], i => 0.3 * Math.Sin(i + 1), (net, x, p) => net.Op("MatMul", x, net.Op("Abs", p))),
            ["einsum(x, p)"] = ([4, 2, 2], i => 0.3 * Math.Sin(i + 1), (net, x, p) => net.Op("Reshape", net.Op("Einsum", [x, p], Attr.Of("equation", "ntc,chd->nthd")), net.Graph.AddConstant("dims", TensorData.Vector<long>(0, 3, 4)))),
            ["softmax(p) mixture"] = ([3], i => 0.1 * i, (net, x, p) =>
            {
                var shares = net.Op("Softmax", p);
                Value[] parts = [x, net.Op("Tanh", x), net.Op("Sin", x)];
                return net.Op("Sum", [.. parts.Select((part, i) => net.Op("Mul", net.Op("Gather", shares, net.Graph.AddConstant("index", TensorData.Scalar((long)i))), part))]);
            }
            ),
            ["class token by Expand"] = ([1, 1, 4], i => 0.1 * i, (net, x, p) => net.Op("Concat", [net.Op("Expand", p, Rows(net, x, 1, 4)), x], Attr.Of("axis", 1L))),
            ["class token by Tile"] = ([1, 1, 4], i => 0.1 * i, (net, x, p) => net.Op("Concat", [net.Op("Tile", p, Rows(net, x, 1, 1)), x], Attr.Of("axis", 1L))),
            ["position table, resized"] = ([1, 4, 2], i => 0.3 * Math.Sin(i + 1), (net, x, p) =>
                net.Op("Add", x, net.Op("Transpose", [net.Op("Resize", [p, null, null, net.Graph.AddConstant("sizes", TensorData.Vector<long>(1, 4, 3))], Attr.Of("mode", "linear"))], Attr.Of("perm", (IEnumerable<long>)[0, 2, 1])))),
            ["padded"] = ([2], i => 0.2 + i, (net, x, p) => net.Op("Mul", x, net.Op("Pad", p, net.Graph.AddConstant("pads", TensorData.Vector<long>(1, 1)), net.Constant("fill", [], _ => 0.5)))),
            ["a table by Gather"] = ([5, 4], i => 0.1 * i, (net, x, p) => net.Op("Add", x, net.Op("Gather", p, net.Graph.AddConstant("rows", TensorData.Vector<long>(0, 2, 2))))),
            ["initial state by Expand"] = ([1, 1, 2], i => 0.3 + i, (net, x, p) =>
            {
                var states = net.Graph.AddValue("states");
                net.Graph.AddNode("RNN", [net.Op("Transpose", [x], Attr.Of("perm", (IEnumerable<long>)[1, 0, 2])), net.Weight("rnn.w", 1, 2, 4), net.Weight("rnn.r", 1, 2, 2), null, null,
                    net.Op("Expand", p, Between(net, x))], [states], attributes: [Attr.Of("hidden_size", 2L)]);
                return net.Op("Transpose", [states], Attr.Of("perm", (IEnumerable<long>)[2, 0, 1, 3]));
            }
            ),
            ["in both branches of If"] = ([4], i => 0.1 * i, (net, x, p) => If(net, (body, branch) => body.Call(branch == 0 ? "Mul" : "Sub", [x, p]))),
            ["a body's own in If"] = ([4], i => 0.1 * i + 0.1, (net, x, p) => If(net, (body, branch) => body.Call("Mul", [x, branch == 0 ? Own(p, body) : body.AddInitializer("q", p.Initializer!)]))),
            ["in Loop"] = ([4], i => 0.5 + 0.1 * i, (net, x, p) => Loop(net, x, (body, state) => body.Call("Tanh", [body.Call("Mul", [state, p])]))),
            ["a body's own in Loop"] = ([4], i => 0.5 + 0.1 * i, (net, x, p) => Loop(net, x, (body, state) => body.Call("Tanh", [body.Call("Mul", [state, Own(p, body)])]))),
            ["a body's own in Scan"] = ([4], i => 0.5 + 0.1 * i, (net, x, p) => Scan(net, x, (body, state, element) => body.Call("Tanh", [body.Call("Add", [body.Call("Mul", [state, Own(p, body)]), element])]))),
        };

    /// <summary>The model of a kind: p read between two linear layers, the producer one that names parameters after modules.</summary>
    public static Model Of(string kind, ElementType type = ElementType.Float32)
    {
        var (dims, start, use) = All[kind];
        var net = new NetBuilder(3, type);
        var x = net.Op("Add", net.Op("MatMul", net.Input("x", N, 3, 4), net.Weight("l.weight", 4, 4)), net.Weight("l.bias", 4));
        var y = use(net, x, net.Constant("p", dims, start));
        if (net.Graph.Find("p") is { Uses.Count: 0 } moved)
            net.Graph.RemoveValue(moved);
        var model = net.Build((net.Op("Tanh", y), [.. Enumerable.Repeat(Dim.Unknown(), kind == "initial state by Expand" ? 4 : 3)]));
        model.ProducerName = "pytorch";
        return model;
    }

    // [N, b, c] as a value.
    private static Value Rows(NetBuilder net, Value x, long b, long c) => net.Op("Concat", [First(net, x), net.Graph.AddConstant("rest", TensorData.Vector(b, c))], Attr.Of("axis", 0L));

    private static Value Between(NetBuilder net, Value x) =>
        net.Op("Concat", [net.Graph.AddConstant("before", TensorData.Vector(1L)), First(net, x), net.Graph.AddConstant("after", TensorData.Vector(1L))], Attr.Of("axis", 0L));

    private static Value First(NetBuilder net, Value x) => net.Op("Gather", net.Op("Shape", x), net.Graph.AddConstant("first", TensorData.Vector(0L)));

    private static Value Own(Value p, Graph body) => body.AddInitializer("p", p.Initializer!);

    private static Value If(NetBuilder net, Func<Graph, int, Value> make)
    {
        var branches = Enumerable.Range(0, 2).Select(i => Body(net, body => [make(body, i)])).ToList();
        return net.Op("If", [net.Graph.AddInitializer("condition", TensorData.Scalar(true))], Attr.Of("then_branch", branches[0]), Attr.Of("else_branch", branches[1]));
    }

    private static Value Loop(NetBuilder net, Value x, Func<Graph, Value, Value> make)
    {
        var body = Body(net, body =>
        {
            body.AddInput("i", new TensorType(ElementType.Int64, Shape.Scalar));
            var goes = body.AddInput("goes", new TensorType(ElementType.Bool, Shape.Scalar));
            var state = body.AddInput("state", new TensorType(x.Element == ElementType.Undefined ? net.Graph.Inputs[0].Element : x.Element, null));
            return [body.Call("Identity", [goes]), make(body, state)];
        });
        return net.Op("Loop", [net.Graph.AddInitializer("trips", TensorData.Scalar(3L)), net.Graph.AddInitializer("true", TensorData.Scalar(true)), x], Attr.Of("body", body));
    }

    private static Value Scan(NetBuilder net, Value x, Func<Graph, Value, Value, Value> make)
    {
        var body = Body(net, body =>
        {
            var type = new TensorType(net.Graph.Inputs[0].Element, null);
            var (state, element) = (body.AddInput("state", type), body.AddInput("element", type));
            var next = make(body, state, element);
            return [next, body.Call("Identity", [next])];
        });
        var (last, all) = (net.Graph.AddValue("last"), net.Graph.AddValue("all"));
        var start = net.Op("ReduceMean", [x], Attr.Of("axes", (IEnumerable<long>)[1]), Attr.Of("keepdims", 0L));
        net.Graph.AddNode("Scan", [start, x], [last, all], attributes:
            [Attr.Of("body", body), Attr.Of("num_scan_inputs", 1L), Attr.Of("scan_input_axes", (IEnumerable<long>)[1]), Attr.Of("scan_output_axes", (IEnumerable<long>)[1])]);
        return all;
    }

    private static Graph Body(NetBuilder net, Func<Graph, IReadOnlyList<Value>> make)
    {
        var body = new Graph("body", net.Graph);
        foreach (var output in make(body))
        {
            output.Type ??= new TensorType(output.Producer is { OpType: "Identity" } copy && copy.Input(0)!.Element == ElementType.Bool ? ElementType.Bool : net.Graph.Inputs[0].Element, null);
            body.AddOutput(output);
        }

        return body;
    }
}
