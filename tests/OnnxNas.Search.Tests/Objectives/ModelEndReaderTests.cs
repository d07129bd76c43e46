using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Objectives;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Objectives;

[TestClass]
public sealed class ModelEndReaderTests
{
    private static readonly Dim N = Dim.Symbol("N");

    private static readonly Dictionary<string, (long[] Logits, int Opset, Func<NetBuilder, Value, Value> End)> Endings = new()
    {
        ["Softmax"] = ([3], 17, (net, z) => net.Op("Softmax", z)),
        ["LogSoftmax"] = ([3], 17, (net, z) => net.Op("LogSoftmax", z)),
        ["Log of Softmax"] = ([3], 17, (net, z) => net.Op("Log", net.Op("Add", net.Op("Softmax", z), net.Constant("eps", [], _ => 1e-7)))),
        ["Softmax, Cast and Identity"] = ([3], 17, (net, z) => net.Op("Identity", net.Op("Cast", [net.Op("Cast", [net.Op("Softmax", z)], Attr.Of("to", 11L))], Attr.Of("to", 1L)))),
        ["clipped Softmax"] = ([3], 17, (net, z) => net.Op("Clip", net.Op("Softmax", z), net.Constant("low", [], _ => 1e-6), net.Constant("high", [], _ => 1))),
        ["Softmax of pixels, squeezed"] = ([3, 1, 1], 17, (net, z) => net.Op("Flatten", net.Op("Softmax", [z], Attr.Of("axis", 1L)))),
        ["Softmax of pixels, before opset 13"] = ([3, 1, 1], 11, (net, z) => net.Op("Softmax", z)),
        ["Softmax of the last axis, transposed"] = ([2, 4, 3], 17, (net, z) => net.Op("Transpose", [net.Op("Softmax", z)], Attr.Of("perm", (IEnumerable<long>)[0L, 3, 1, 2]))),
        ["Softmax of pixels, joined"] = ([3, 2, 4], 17, (net, z) => net.Op("Reshape", net.Op("Softmax", [z], Attr.Of("axis", 1L)), net.Graph.AddInitializer("shape", TensorData.Vector(0L, 3, -1)))),
        ["written out"] = ([3], 11, (net, z) =>
        {
            var e = net.Op("Exp", z);
            return net.Op("Mul", e, net.Op("Reciprocal", net.Op("ReduceSum", [e], Attr.Of("axes", (IEnumerable<long>)[-1L]))));
        }
        ),
        ["logarithms written out"] = ([3], 11, (net, z) => net.Op("Sub", z, net.Op("ReduceLogSumExp", [z], Attr.Of("axes", (IEnumerable<long>)[-1L])))),
        ["every candidate"] = ([3], 17, (net, z) => net.LayerChoice("end", null, net.Op("Softmax", z), net.Op("Softmax", net.Op("Neg", z)))),
        ["Sigmoid"] = ([3], 17, (net, z) => net.Op("Sigmoid", z)),
        ["one Sigmoid, squeezed"] = ([1], 17, (net, z) => net.Op("Squeeze", net.Op("Sigmoid", z), net.Graph.AddInitializer("axes", TensorData.Vector(1L)))),
        ["clipped Sigmoid"] = ([3], 17, (net, z) => net.Op("Min", net.Op("Sigmoid", z), net.Constant("high", [], _ => 0.999999))),
        ["logistic written out"] = ([3], 17, (net, z) => net.Op("Div", net.Constant("one", [], _ => 1), net.Op("Add", net.Constant("also", [], _ => 1), net.Op("Exp", net.Op("Neg", z))))),
    };

    public static IEnumerable<object[]> Names => Endings.Keys.Select(k => new object[] { k });

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void The_probabilities_of_the_file_are_those_of_the_value_that_is_trained_on(string name)
    {
        var (logits, opset, build) = Endings[name];
        var (model, output) = Net(logits, opset, net => build(net, Logits(net, logits)));
        var end = new ModelEndReader(model, ShapeInference.Run(model, SupernetOperators.Registry)).Read(output);
        Assert.IsNotNull(end.MadeBy, name);
        Assert.IsNull(end.Untrainable, name);
        TrainingForm.Apply(model.Graph, end.Activation!.Build());
        var space = SearchSpace.Read(model);
        var plain = space.Choices.Count == 0 ? model : Pruner.Prune(model, Architecture.Random(space, new SeededRandom(3)));
        using var module = new GraphModule(plain, SupernetOperators.Registry);
        var results = module.Evaluate(new Dictionary<string, TensorData> { ["x"] = TestTensors.Normal(4, 5, 4) });
        Assert.HasCount(2, results);
        CollectionAssert.AreEqual(results[1].Dims.ToArray(), results[0].Dims.ToArray(), name);
        var (front, file) = (results[0].ToDoubles(), results[1].ToDoubles());
        Assert.IsGreaterThan(1.0, front.Max() - front.Min(), $"{name}: probabilities are no scores.");
        var probabilities = end.Activation.IsOfClasses ? Shares(front, results[0].Dims, end.ClassAxis!.Value) : [.. front.Select(z => 1 / (1 + Math.Exp(-z)))];
        for (var i = 0; i < file.Length; i++)
            Assert.AreEqual(end.Form == OutputForm.LogProbabilities ? Math.Log(probabilities[i]) : probabilities[i], file[i], 2e-5, $"{name}, {i}");
    }

    [TestMethod]
    [DynamicData(nameof(Names))]
    public void The_file_has_its_own_outputs_again(string name)
    {
        var (logits, opset, build) = Endings[name];
        var (model, output) = Net(logits, opset, net => build(net, Logits(net, logits)));
        var plain = Single(model);
        var before = plain.Graph.NodeCount;
        var end = new ModelEndReader(model, ShapeInference.Run(model, SupernetOperators.Registry)).Read(output);
        TrainingForm.Apply(model.Graph, end.Activation!.Build());
        var after = Single(model);
        Assert.AreEqual(before, after.Graph.NodeCount, name);
        Assert.AreEqual(output.Name, string.Join(' ', after.Graph.Outputs.Select(o => o.Name)), name);
    }

    [TestMethod]
    public void What_has_no_gradient_is_walked_back_through()
    {
        Check("ArgMax", 1, OutputForm.Classes, (net, z) => net.Op("ArgMax", [net.Op("Softmax", z)], Attr.Of("axis", 1L)), ElementType.Int64);
        Check("ArgMax", 1, OutputForm.Classes, (net, z) => net.Op("Cast", [net.Op("ArgMax", [z], Attr.Of("axis", -1L), Attr.Of("keepdims", 0L))], Attr.Of("to", 6L)), ElementType.Int32);
        Check("Greater", null, OutputForm.Classes, (net, z) => net.Op("Greater", net.Op("Sigmoid", z), net.Constant("half", [], _ => 0.5)), ElementType.Bool);
        Check("Greater", null, OutputForm.Classes, (net, z) => net.Op("Cast", [net.Op("Greater", z, net.Constant("zero", [], _ => 0))], Attr.Of("to", 7L)), ElementType.Int64);
        Check("Round", null, OutputForm.Classes, (net, z) => net.Op("Round", net.Op("Sigmoid", z)), ElementType.Float32);
        Check("Cast", null, OutputForm.Values, (net, z) => net.Op("Cast", [z], Attr.Of("to", 6L)), ElementType.Int32);
        Check(null, null, OutputForm.Values, (net, z) => z, ElementType.Float32);

        static void Check(string? decision, int? axis, OutputForm form, Func<NetBuilder, Value, Value> build, ElementType type)
        {
            var (model, output) = Net([3], 17, net =>
            {
                var y = build(net, Logits(net, [3]));
                y.Type = new TensorType(type);
                return y;
            });
            var end = new ModelEndReader(model, ShapeInference.Run(model, SupernetOperators.Registry)).Read(output);
            Assert.AreEqual((decision, axis, form, (string?)null), (end.Decision, end.ClassAxis, end.Form, end.Untrainable));
        }
    }

    [TestMethod]
    public void A_gate_is_no_end_and_neither_is_what_sums_over_all()
    {
        var (gate, gated) = Net([3], 17, net => Logits(net, [3]) is var z ? net.Op("Mul", z, net.Op("Softmax", z)) : z);
        Assert.IsNull(new ModelEndReader(gate, ShapeInference.Run(gate, SupernetOperators.Registry)).Read(gated).MadeBy);
        // Below opset 13 all axes from 1 on are one.
        var (together, output) = Net([3, 2, 2], 11, net => net.Op("Softmax", Logits(net, [3, 2, 2])));
        var end = new ModelEndReader(together, ShapeInference.Run(together, SupernetOperators.Registry)).Read(output);
        Assert.AreEqual(("Softmax", (int?)null), (end.MadeBy, end.ClassAxis));
        var (mixed, either) = Net([3], 17, net => Logits(net, [3]) is var z ? net.LayerChoice("end", null, net.Op("Softmax", z), z) : z);
        Assert.IsNull(new ModelEndReader(mixed, ShapeInference.Run(mixed, SupernetOperators.Registry)).Read(either).MadeBy);
    }

    private static Model Single(Model model)
    {
        var space = SearchSpace.Read(model);
        var plain = space.Choices.Count == 0 ? model.Clone() : Pruner.Prune(model, Architecture.Random(space, new SeededRandom(3)));
        Pruner.Finish(plain);
        return plain;
    }

    private static Value Logits(NetBuilder net, long[] dims)
    {
        var z = net.Linear("head", net.Graph.Find("x")!, 4, dims.Aggregate(1L, (a, b) => a * b));
        return dims.Length == 1 ? z : net.Op("Reshape", z, net.Graph.AddInitializer("to", TensorData.Vector<long>([-1, .. dims])));
    }

    private static (Model Model, Value Output) Net(long[] logits, int opset, Func<NetBuilder, Value> build)
    {
        var net = new NetBuilder(6);
        net.Input("x", N, 4);
        var output = build(net);
        output.Type ??= new TensorType(ElementType.Float32);
        var model = net.Build((output, [N, .. logits.Select(Dim.Known)]));
        model.OpsetImports[""] = opset;
        return (model, output);
    }

    // Softmax along an axis, by its formula.
    private static double[] Shares(double[] z, IReadOnlyList<long> dims, int axis)
    {
        var (length, inner) = ((int)dims[axis], (int)dims.Skip(axis + 1).Aggregate(1L, (a, b) => a * b));
        var sums = new Dictionary<(int, int), double>();
        for (var i = 0; i < z.Length; i++)
            sums[(i / inner / length, i % inner)] = sums.GetValueOrDefault((i / inner / length, i % inner)) + Math.Exp(z[i]);
        return [.. z.Select((v, i) => Math.Exp(v) / sums[(i / inner / length, i % inner)])];
    }
}
