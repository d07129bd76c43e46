using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search.Data;
using OnnxNas.Search.Objectives;
using OnnxNas.Search.Supernets;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Objectives;

[TestClass]
public sealed class ObjectiveReaderTests
{
    private const int Count = 12;
    private static readonly Dim N = Dim.Symbol("N");

    [TestMethod]
    // Output, end, labels → loss, class axis, shape the labels are read in.
    [DataRow("3", "", "int64 numbers", "cross-entropy 1 12")]
    [DataRow("3", "", "uint8 numbers:1", "cross-entropy 1 12")]
    [DataRow("3", "", "float64 numbers", "cross-entropy 1 12")]
    [DataRow("3", "", "float32 numbers:1", "cross-entropy 1 12")]
    [DataRow("3", "", "int32 onehot:3", "cross-entropy 1 12")]
    [DataRow("3", "", "float32 onehot:3", "cross-entropy 1 12")]
    [DataRow("3", "", "bool onehot:3", "cross-entropy 1 12")]
    [DataRow("3", "", "float32 shares:3", "cross-entropy 1 12,3 shares")]
    [DataRow("3", "Softmax", "float32 shares:3", "cross-entropy 1 12,3 shares")]
    [DataRow("3", "", "float32 normal:3", "mse 1 12,3")]
    [DataRow("3", "Softmax", "float32 normal:3", "mse 1 12,3")]
    [DataRow("3", "", "int64 bits:3", "bce-with-logits 1 12,3")]
    [DataRow("3", "Sigmoid", "float32 bits:3", "bce-with-logits 1 12,3")]
    [DataRow("3", "", "float32 bits:3", "mse 1 12,3")]
    [DataRow("3", "Sigmoid", "int64 numbers", "cross-entropy 1 12")]
    [DataRow("3", "Sigmoid", "int64 onehot:3", "bce-with-logits 1 12,3")]
    [DataRow("1", "Sigmoid", "int64 bits", "bce-with-logits 1 12,1")]
    [DataRow("1", "Sigmoid", "float32 bits:1", "bce-with-logits 1 12,1")]
    [DataRow("1", "", "bool bits", "bce-with-logits 1 12,1")]
    [DataRow("1", "", "int32 bits", "bce-with-logits 1 12,1")]
    [DataRow("1", "", "float32 normal", "mse 1 12,1")]
    [DataRow("2", "", "bool bits", "cross-entropy 1 12")]
    [DataRow("6,3", "", "int64 numbers:6", "cross-entropy 2 12,6")]
    [DataRow("3,6", "", "int64 numbers:6", "cross-entropy 1 12,6")]
    [DataRow("3,6", "", "int64 numbers:6,1", "cross-entropy 1 12,6")]
    [DataRow("3,2,4", "", "int64 numbers:2,4", "cross-entropy 1 12,2,4")]
    [DataRow("3,2,4", "", "int64 numbers:1,2,4", "cross-entropy 1 12,2,4")]
    [DataRow("2,4,3", "", "int64 numbers:2,4,1", "cross-entropy 3 12,2,4")]
    [DataRow("3,2,4", "", "int64 onehot:2,4,3", "cross-entropy 1 12,2,4")]
    [DataRow("3,1,1", "", "int64 numbers", "cross-entropy 1 12,1,1")]
    // As many places as classes: the last layer tells.
    [DataRow("3,3", "", "int64 numbers:3", "cross-entropy 2 12,3")]
    [DataRow("3,3", "Transpose", "int64 numbers:3", "cross-entropy 1 12,3")]
    [DataRow("3,3", "Tanh Transpose Mul", "int64 numbers:3", "cross-entropy 1 12,3")]
    [DataRow("3,3", "Softmax1", "int64 numbers:3", "cross-entropy 1 12,3")]
    [DataRow("3,2,4", "", "float32 normal:3,2,4", "mse 1 12,3,2,4")]
    [DataRow("3,2,4", "", "float32 normal:1,3,2,4", "mse 1 12,3,2,4")]
    public void Labels_are_read_as_they_are_meant(string dims, string end, string labels, string expected)
    {
        var (objective, data) = Read(dims, end, labels, new());
        var read = objective.Read(data);
        var shape = read.Labels([.. Enumerable.Range(0, Count)], objective.Loss.LabelType).Dims;
        Assert.AreEqual(expected, $"{objective.Loss.Name} {objective.Loss.ClassAxis} {string.Join(',', shape)}{(objective.Loss.HasProbabilities ? " shares" : "")}", string.Join("; ", objective.Notes));
        // A resumed search knows the loss by name, and must understand the same.
        var again = Read(dims, end, labels, new() { Loss = objective.Loss.Name }).Objective;
        Assert.AreEqual((objective.Loss, objective.TrainsInFront), (again.Loss, again.TrainsInFront));
    }

    [TestMethod]
    [DataRow("3,2,4", "", "float32 normal:2,4,3", null, "transpose to [0,3,1,2]")]
    [DataRow("2,4,3", "", "float32 normal:3,2,4", null, "transpose to [0,2,3,1]")]
    [DataRow("3,2,4", "", "float32 normal:24", null, "in another shape")]
    [DataRow("3,2,4", "", "float32 normal:2,12", null, "do not fit")]
    [DataRow("3,2,4", "Softmax1", "float32 shares:2,4,3", null, "transpose to [0,3,1,2]")]
    [DataRow("3,2,4", "Softmax1", "int64 numbers:4,2", null, "transpose to [0,2,1]")]
    [DataRow("1", "", "int64 numbers", null, "--loss bce-with-logits")]
    [DataRow("1", "", "int64 bits", "cross-entropy", "--loss bce-with-logits")]
    [DataRow("3", "", "float32 normal", null, "holds 1 numbers per sample, the model's output [3] has 3")]
    [DataRow("3", "", "float32 numbers", "mse", "--loss cross-entropy")]
    [DataRow("3", "", "float32 normal:3", "cross-entropy", "--loss mse")]
    [DataRow("3", "", "int64 numbers:7", null, "class numbers [N] for classes along axis 1")]
    [DataRow("3", "Softmax", "int64 bits:3", "bce-with-logits", "Use --loss cross-entropy")]
    [DataRow("3", "ArgMax", "float32 normal:3", "mse", "Use --loss cross-entropy")]
    [DataRow("3,3", "free", "int64 numbers:3", null, "--class-axis")]
    [DataRow("3", "", "int64 from one", null, "subtract 1")]
    [DataRow("3", "", "int64 ignored", null, "leave such samples out")]
    public void What_does_not_fit_is_refused_with_the_next_step(string dims, string end, string labels, string? loss, string expected)
    {
        var message = Assert.ThrowsExactly<DataException>(() => Read(dims, end, labels, new() { Loss = loss })).Message;
        Assert.Contains(expected, message);
        Assert.DoesNotContain("\n", message);
    }

    [TestMethod]
    public void The_axis_of_classes_may_be_asked_for()
    {
        foreach (var (asked, axis) in new[] { (1, 1), (2, 2), (-1, 2), (-2, 1) })
            Assert.AreEqual(axis, Read("3,3", "free", "int64 numbers:3", new() { ClassAxis = asked }).Objective.Loss.ClassAxis);
        Refused("3,3", "Softmax1", new() { ClassAxis = 2 }, "lie along axis 1, by Softmax");
        Refused("6,3", "", new() { ClassAxis = 1 }, "do not fit");
        Refused("3,3", "", new() { ClassAxis = 3 }, "--class-axis is 3");
        Refused("3,3", "", new() { ClassAxis = 1, Loss = "mse" }, "--class-axis is for cross-entropy");

        static void Refused(string dims, string end, SearchOptions options, string expected) =>
            Assert.Contains(expected, Assert.ThrowsExactly<DataException>(() => Read(dims, end, "int64 numbers:" + dims[0], options)).Message);
    }

    [TestMethod]
    public void Of_several_outputs_the_first_that_fits_is_trained_or_the_one_that_is_named()
    {
        var net = new NetBuilder();
        var x = net.Input("x", N, 4);
        var (boxes, z) = (net.Linear("boxes", x, 4, 1), net.Linear("head", x, 4, 3));
        var copy = net.Op("Identity", x);
        var other = net.Linear("other", x, 4, 3);
        var model = net.Build((copy, [N, 4]), (boxes, [N, 1]), (net.Op("Softmax", z), [N, 3]), (other, [N, 3]));
        var data = Data(model, Labels("int64 numbers"));
        var objective = Of(model, data, new());
        Assert.AreEqual(("Softmax", z.Name), (objective.ChosenOutput, objective.End.Front));
        Assert.Contains("'Softmax'", objective.Notes[0]);
        Assert.AreEqual(other.Name, Of(model, data, new() { Output = other.Name }).ChosenOutput);
        Assert.Contains("cannot be trained", Assert.ThrowsExactly<DataException>(() => Of(model, data, new() { Output = copy.Name })).Message);
        Assert.Contains("'Softmax'", Assert.ThrowsExactly<UsageException>(() => Of(model, data, new() { Output = "z" })).Message);
        // The file keeps its outputs, and what is trained is in front of them.
        Assert.IsTrue(objective.Apply(model.Graph));
        Assert.AreEqual($"{z.Name} {copy.Name} {boxes.Name} Softmax {other.Name}", string.Join(' ', model.Graph.Outputs.Select(o => o.Name)));
    }

    [TestMethod]
    public void A_model_that_ends_in_scores_is_left_alone()
    {
        var (objective, _) = Read("3", "", "int64 numbers", new());
        Assert.IsFalse(objective.Apply(objective.End.Output.Graph));
        Assert.IsEmpty(objective.Notes);
        Assert.IsEmpty(objective.Warnings);
    }

    [TestMethod]
    public void What_makes_the_result_doubtful_is_said()
    {
        Assert.Contains("All labels are 2", Read("3", "", "int64 one class", new()).Objective.Warnings[0]);
        Assert.Contains("probabilities already", Read("3", "halves", "int64 numbers", new()).Objective.Warnings[0]);
        var model = Net("3", "");
        var few = Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TestTensors.Normal(1, 3, 4) }, TensorData.Vector(0L, 1, 2));
        Assert.Contains("3 samples", Of(model, few, new()).Warnings[0]);
    }

    private static (Objective Objective, Dataset Data) Read(string dims, string end, string labels, SearchOptions options)
    {
        var model = Net(dims, end);
        var data = Data(model, Labels(labels));
        return (Of(model, data, options), data);
    }

    private static Objective Of(Model model, Dataset data, SearchOptions options) => ObjectiveReader.Read(model, ShapeInference.Run(model, SupernetOperators.Registry), [data], options);

    private static Dataset Data(Model model, TensorData labels) =>
        Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TestTensors.Normal(1, [Count, .. model.Graph.Inputs[0].Shape!.Skip(1).Select(d => d.Value)]) }, labels);

    private static Model Net(string text, string end)
    {
        long[] dims = [.. text.Split(',').Select(long.Parse)];
        var net = new NetBuilder();
        Value y;
        if (dims.Length == 2 && end != "free")
        {
            y = net.Op("Add", net.Op("MatMul", net.Input("x", N, dims[0], 4), net.Weight("w", 4, dims[1])), net.Weight("b", dims[1]));
        }
        else
        {
            // A reshaped layer: nothing tells which axis is what.
            y = net.Linear("head", net.Input("x", N, 4), 4, dims.Aggregate(1L, (a, b) => a * b));
            y = dims.Length == 1 ? y : net.Op("Reshape", y, net.Graph.AddInitializer("shape", TensorData.Vector<long>([-1, .. dims])));
        }

        foreach (var op in end.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            y = op switch
            {
                "free" => y,
                "Transpose" => net.Op("Transpose", [y], Attr.Of("perm", (IEnumerable<long>)[0L, 2, 1])),
                "Mul" => net.Op("Mul", y, net.Weight("scale", 1)),
                "Softmax1" => net.Op("Softmax", [y], Attr.Of("axis", 1L)),
                "ArgMax" => net.Op("ArgMax", [y], Attr.Of("axis", 1L)),
                "halves" => net.Op("Concat", [net.Op("Sigmoid", y)], Attr.Of("axis", 1L)),
                _ => net.Op(op, y),
            };
        }

        y.Type = new TensorType(end == "ArgMax" ? ElementType.Int64 : ElementType.Float32);
        return net.Build((y, [N, .. dims.Select(Dim.Known)]));
    }

    // "type kind:extents".
    private static TensorData Labels(string text)
    {
        var (type, kind) = (text.Split(' ')[0], text[(text.IndexOf(' ', StringComparison.Ordinal) + 1)..].Split(':'));
        long[] dims = [Count, .. kind.Length == 1 ? [] : kind[1].Split(',').Select(long.Parse)];
        var (count, last) = ((int)dims.Aggregate(1L, (a, b) => a * b), (int)dims[^1]);
        double[] numbers = kind[0] switch
        {
            "normal" => TestTensors.Normal(2, dims).ToDoubles(),
            "bits" => [.. Enumerable.Range(0, count).Select(i => i * 7 % 5 % 2 == 0 ? 1.0 : 0)],
            "onehot" => [.. Enumerable.Range(0, count).Select(i => i / last * 5 % 7 % last == i % last ? 1.0 : 0)],
            "shares" => [.. Enumerable.Range(0, count).Select(i => i % last == 0 ? 0.5 : 0.5 / (last - 1))],
            "from one" => [.. Enumerable.Range(0, count).Select(i => i % 3 + 1.0)],
            "ignored" => [.. Enumerable.Range(0, count).Select(i => i == 5 ? -100.0 : i % 3)],
            "one class" => [.. Enumerable.Repeat(2.0, count)],
            _ => [.. Enumerable.Range(0, count).Select(i => i * 5 % 7 % 3)],
        };
        return type switch
        {
            "float32" => TensorData.Create<float>(dims, [.. numbers.Select(n => (float)n)]),
            "float64" => TensorData.Create<double>(dims, numbers),
            "uint8" => TensorData.Create<byte>(dims, [.. numbers.Select(n => (byte)n)]),
            "int32" => TensorData.Create<int>(dims, [.. numbers.Select(n => (int)n)]),
            "bool" => TensorData.Create<bool>(dims, [.. numbers.Select(n => n == 1)]),
            _ => TensorData.Create<long>(dims, [.. numbers.Select(n => (long)n)]),
        };
    }
}
