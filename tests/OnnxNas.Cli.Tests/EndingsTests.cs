using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search;
using OnnxNas.Search.Data;
using OnnxNas.Search.Objectives;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Cli.Tests;

/// <summary>
/// Heads times ends times layouts of labels times opsets: each is trained for two steps, and losses and scores are compared with a linear model written here, which knows neither ONNX nor libtorch.
/// </summary>
[TestClass]
public sealed class EndingsTests
{
    private const int Samples = 24;
    private const int Features = 3;
    private const int Classes = 4;
    private const double Rate = 0.5;
    private const double Momentum = 0.9;

    public static IEnumerable<object[]> Rows =>
        from opset in new[] { 11, 17 }
        from head in new[] { "Gemm", "MatMul", "Conv" }
        from end in new[] { "logits", "Softmax", "LogSoftmax", "Sigmoid", "ArgMax", "ArgMax beside", "both", "written out" }
        from labels in end == "Sigmoid" ? new[] { "bits", "bools" } : ["numbers", "column", "floats", "one-hot", "bool one-hot", "native one-hot", "shares"]
        select new object[] { head, end, labels, opset };

    [TestMethod]
    public void There_are_at_least_sixty() => Assert.IsGreaterThan(60, Rows.Count());

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Losses_and_scores_are_those_of_a_linear_model(string head, string end, string labels, int opset)
    {
        var what = $"{head}, {end}, {labels}, opset {opset}";
        // As many places as classes, so that shapes do not tell the axes apart.
        var places = head == "Gemm" ? 1 : Classes;
        var truth = new Linear(places, end == "Sigmoid", labels == "shares");
        var model = Model(head, end, truth, opset);
        var data = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = Input(head, truth) }, Labels(head, labels, truth));
        var types = ShapeInference.Run(model, SupernetOperators.Registry);
        var objective = ObjectiveReader.Read(model, types, [data], new());
        objective.Apply(model.Graph);
        var options = new SearchOptions { BatchSize = Samples, Lr = Rate, Momentum = Momentum, WeightDecay = 0, GradClip = 0, Schedule = "constant" };
        var ear = new Ear();
        new WinnerTrainer(options, objective.Loss, objective.NewMetric, ear, CPU, default).Fit(model, objective.Read(data), 2);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var (loss, metric) = truth.Step();
            Assert.AreEqual(loss, ear.Epochs[epoch].TrainLoss, 1e-5, what);
            Assert.AreEqual(metric, ear.Epochs[epoch].Metric, 1e-9, what);
        }

        var scores = OnnxScore.Of(Finisher.Written(model), objective.Read(data), objective, 1);
        Assert.AreEqual(truth.Score(), scores["accuracy"], 1e-9, what);
    }

    private static Model Model(string head, string end, Linear truth, int opset)
    {
        var net = new NetBuilder();
        var n = Dim.Symbol("N");
        Dim[] dims = head switch { "Gemm" => [n, Features], "Conv" => [n, Features, 2, 2], _ => [n, truth.Places, Features] };
        var x = net.Input("x", dims);
        var w = net.Constant("w", head == "Conv" ? [Classes, Features, 1, 1] : [Features, Classes], i => head == "Conv" ? truth.W[i % Features, i / Features] : truth.W[i / Classes, i % Classes]);
        var b = net.Constant("b", [Classes], i => truth.B[i]);
        var z = head switch
        {
            "Gemm" => net.Op("Gemm", x, w, b),
            "Conv" => net.Op("Conv", x, w, b),
            "Einsum" => net.Op("Add", net.Op("Einsum", [x, w], Attr.Of("equation", "ntf,fc->ntc")), b),
            _ => net.Op("Add", net.Op("MatMul", x, w), b),
        };
        Dim[] shape = [n, .. head switch { "Gemm" => (Dim[])[Classes], "Conv" => [Classes, 2, 2], _ => [truth.Places, Classes] }];
        var axis = head == "Conv" ? 1 : shape.Length - 1;
        Dim[] places = [.. shape.Where((_, i) => i != axis)];
        Value Of(string op)
        {
            if (opset >= 13 || head != "Conv")
                return net.Op(op, [z], Attr.Of("axis", (long)axis));
            // As PyTorch wrote it then: the axis is the last one.
            var last = net.Op("Transpose", [z], Attr.Of("perm", (IEnumerable<long>)[0L, 2, 3, 1]));
            return net.Op("Transpose", [net.Op(op, [last], Attr.Of("axis", 3L))], Attr.Of("perm", (IEnumerable<long>)[0L, 3, 1, 2]));
        }

        Value Chosen(Value of)
        {
            var chosen = net.Op("ArgMax", [of], Attr.Of("axis", (long)axis), Attr.Of("keepdims", 0L));
            chosen.Type = new TensorType(ElementType.Int64, new Shape(places));
            return chosen;
        }

        Value WrittenOut()
        {
            Value?[] axes = opset >= 13 ? [net.Graph.AddInitializer("axes", TensorData.Vector((long)axis))] : [];
            Attr[] attributes = opset >= 13 ? [] : [Attr.Of("axes", (IEnumerable<long>)[(long)axis])];
            var e = net.Op("Exp", net.Op("Sub", z, net.Op("ReduceMax", [z], Attr.Of("axes", (IEnumerable<long>)[(long)axis]))));
            return net.Op("Div", e, net.Op("ReduceSum", [e, .. axes], attributes));
        }

        var model = net.Build(end switch
        {
            "logits" => [(z, shape)],
            "Sigmoid" => [(net.Op("Sigmoid", z), shape)],
            "ArgMax" => [(Chosen(z), places)],
            "ArgMax beside" when Of("Softmax") is var y => [(Chosen(y), places), (y, shape)],
            "both" => [(Of("Softmax"), shape), (z, shape)],
            "written out" => [(WrittenOut(), shape)],
            _ => [(Of(end), shape)],
        });
        model.OpsetImports[""] = opset;
        return model;
    }

    private static TensorData Input(string head, Linear truth) => head == "Conv"
        ? TensorData.Create<float>([Samples, Features, 2, 2], [.. Each(Features * truth.Places).Select(i => truth.X[i.Sample, i.Place % truth.Places, i.Place / truth.Places])])
        : TensorData.Create<float>(head == "Gemm" ? [Samples, Features] : [Samples, truth.Places, Features], [.. Each(Features * truth.Places).Select(i => truth.X[i.Sample, i.Place / Features, i.Place % Features])]);

    private static TensorData Labels(string head, string labels, Linear truth)
    {
        long[] places = head switch { "Gemm" => [Samples], "Conv" => [Samples, 2, 2], _ => [Samples, truth.Places] };
        var classes = Each(truth.Places).Select(i => (long)truth.Class(i.Sample, i.Place)).ToArray();
        // Shares and bits in the output's own layout; one-hot rows with classes last, as everywhere but in PyTorch.
        double[] rows = [.. Each(truth.Places * Classes).Select(i => truth.Target[i.Sample, i.Place / Classes, i.Place % Classes])];
        double[] native = head != "Conv" ? rows : [.. Each(truth.Places * Classes).Select(i => truth.Target[i.Sample, i.Place % truth.Places, i.Place / truth.Places])];
        long[] shape = head == "Conv" ? [Samples, Classes, 2, 2] : [.. places, Classes];
        return labels switch
        {
            "numbers" => TensorData.Create<long>(places, classes),
            "column" => TensorData.Create<byte>([.. places, 1], [.. classes.Select(c => (byte)c)]),
            "floats" => TensorData.Create<float>(places, [.. classes.Select(c => (float)c)]),
            "one-hot" => TensorData.Create<int>([.. places, Classes], [.. rows.Select(r => (int)r)]),
            "bool one-hot" => TensorData.Create<bool>([.. places, Classes], [.. rows.Select(r => r == 1)]),
            "native one-hot" => TensorData.Create<double>(shape, native),
            "bools" => TensorData.Create<bool>(shape, [.. native.Select(r => r == 1)]),
            "bits" => TensorData.Create<int>(shape, [.. native.Select(r => (int)r)]),
            _ => TensorData.Create<float>(shape, [.. native.Select(r => (float)r)]),
        };
    }

    private static IEnumerable<(int Sample, int Place)> Each(int width) => Enumerable.Range(0, Samples * width).Select(i => (i / width, i % width));

    private sealed class Ear : ITrainingProgress
    {
        public List<EpochReport> Epochs { get; } = [];

        public void Step(string phase, int step, int steps, double loss, double milliseconds)
        {
        }

        public void Epoch(EpochReport report) => Epochs.Add(report);
    }

    /// <summary>A linear model with its data: z = xW + b, cross-entropy of softmax(z) or of each sigmoid(z), SGD with momentum on all samples at once.</summary>
    private sealed class Linear
    {
        private readonly bool standAlone;
        private readonly double[,] speedW = new double[Features, Classes];
        private readonly double[] speedB = new double[Classes];

        public Linear(int places, bool standAlone, bool areShares)
        {
            (Places, this.standAlone) = (places, standAlone);
            var random = new SeededRandom(11);
            (X, Target) = (new float[Samples, places, Features], new double[Samples, places, Classes]);
            foreach (ref var x in System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref X[0, 0, 0], X.Length))
                x = (float)random.NextGaussian();
            foreach (ref var w in System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref W[0, 0], W.Length))
                w = (float)random.NextGaussian();
            foreach (var (n, p) in Positions())
            {
                double[] row = standAlone ? [.. Enumerable.Range(0, Classes).Select(_ => (double)random.NextInt(2))]
                    : areShares ? [.. Enumerable.Range(0, Classes).Select(_ => 0.05 + random.NextDouble())] : [.. Enumerable.Repeat(0.0, Classes)];
                if (!standAlone && !areShares)
                    row[random.NextInt(Classes)] = 1;
                var sum = standAlone ? 1 : row.Sum();
                for (var c = 0; c < Classes; c++)
                    Target[n, p, c] = (float)(row[c] / sum);
            }
        }

        public int Places { get; }

        public float[,,] X { get; }

        public double[,,] Target { get; }

        public double[,] W { get; } = new double[Features, Classes];

        public double[] B { get; } = new double[Classes];

        public int Class(int n, int p) => Largest(c => Target[n, p, c]);

        /// <summary>Loss and score before a step, which is then made.</summary>
        public (double Loss, double Score) Step()
        {
            var (loss, score) = (0.0, Score());
            var (gradientW, gradientB) = (new double[Features, Classes], new double[Classes]);
            double count = Samples * Places * (standAlone ? Classes : 1);
            foreach (var (n, p) in Positions())
            {
                var z = Logits(n, p);
                var total = z.Sum(Math.Exp);
                for (var c = 0; c < Classes; c++)
                {
                    var t = Target[n, p, c];
                    var y = standAlone ? 1 / (1 + Math.Exp(-z[c])) : Math.Exp(z[c]) / total;
                    loss -= (t * Math.Log(y) + (standAlone ? (1 - t) * Math.Log(1 - y) : 0)) / count;
                    // The shares of a row sum to 1 but for rounding.
                    var g = (standAlone ? y - t : y * Enumerable.Range(0, Classes).Sum(k => Target[n, p, k]) - t) / count;
                    gradientB[c] += g;
                    for (var f = 0; f < Features; f++)
                        gradientW[f, c] += g * X[n, p, f];
                }
            }

            for (var c = 0; c < Classes; c++)
            {
                B[c] -= Rate * (speedB[c] = Momentum * speedB[c] + gradientB[c]);
                for (var f = 0; f < Features; f++)
                    W[f, c] -= Rate * (speedW[f, c] = Momentum * speedW[f, c] + gradientW[f, c]);
            }

            return (loss, score);
        }

        public double Score() => Positions().Average(at =>
        {
            var z = Logits(at.N, at.P);
            return standAlone ? z.Index().Average(c => c.Item > 0 == Target[at.N, at.P, c.Index] > 0.5 ? 1.0 : 0) : Largest(c => z[c]) == Class(at.N, at.P) ? 1 : 0;
        });

        private IEnumerable<(int N, int P)> Positions() => from n in Enumerable.Range(0, Samples) from p in Enumerable.Range(0, Places) select (n, p);

        private double[] Logits(int n, int p) => [.. Enumerable.Range(0, Classes).Select(c => B[c] + Enumerable.Range(0, Features).Sum(f => X[n, p, f] * W[f, c]))];

        private static int Largest(Func<int, double> of) => Enumerable.Range(0, Classes).MaxBy(of);
    }
}
