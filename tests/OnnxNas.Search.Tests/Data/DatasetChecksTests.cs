using OnnxNas.Ir;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

[TestClass]
public sealed class DatasetChecksTests
{
    [TestMethod]
    public void Samples_that_fit_pass()
    {
        DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 3], new float[6])), Model(ElementType.Float32, "N", 3));
        DatasetChecks.CheckInputs(Data(TensorData.Create<byte>([2, 3], new byte[6])), Model(ElementType.Float32, "N", "C"));
        DatasetChecks.CheckInputs(Data(TensorData.Create<int>([2, 3], new int[6])), Model(ElementType.Int64, 7, 3));
    }

    [TestMethod]
    public void Samples_of_another_shape_are_refused_with_both()
    {
        var message = Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 4], new float[8])), Model(ElementType.Float32, "N", 3)));
        StringAssert.Contains(message, "Input 'x' takes [N,3], the array 'x' is [2,4]");
        Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 3, 1], new float[6])), Model(ElementType.Float32, "N", 3)));
    }

    [TestMethod]
    public void Images_with_channels_last_are_to_be_transposed_not_reshaped()
    {
        var images = TensorData.Create<float>([2, 5, 5, 3], new float[150]);
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(images), Model(ElementType.Float32, "N", 3, 5, 5))), "the samples do not fit. Its axes are in another order: transpose to [0,3,1,2].");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(images), Model(ElementType.Float32, "N", 3, "H", "W"))), "transpose to [0,3,1,2].");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 5, 4], new float[40])), Model(ElementType.Float32, "N", 1, 5, 4))), "Only extents of 1 differ: reshape it to [N,1,5,4].");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 7], new float[14])), Model(ElementType.Float32, "N", 3))), "Give an array of the shape [N,3]");
    }

    [TestMethod]
    [DataRow("3,5,4", "5,4,3", "0,3,1,2"), DataRow("5,4,3", "3,5,4", "0,2,3,1"), DataRow("6,4", "4,6", "0,2,1"), DataRow("2,3,4", "4,3,2", "0,3,2,1"), DataRow("3,4", "3,5", null), DataRow("3,4", "12", null)]
    public void The_transposition_that_fits_is_found(string wanted, string given, string? axes)
    {
        var found = Extents.Transposition([.. wanted.Split(',').Select(d => Dim.Known(long.Parse(d)))], [.. given.Split(',').Select(long.Parse)]);
        Assert.AreEqual(axes, found is null ? null : string.Join(',', found));
    }

    [TestMethod]
    public void Extents_of_1_may_be_added_and_dropped_and_no_others()
    {
        Assert.AreEqual("1,3,1", Text([1, 3, 1], [3]));
        Assert.AreEqual("3", Text([3], [1, 3, 1]));
        Assert.AreEqual("", Text([], [1, 1]));
        Assert.AreEqual("4,1", Text([Dim.Symbol("T"), 1], [4]));
        Assert.IsNull(Text([2, 3], [3, 2]));
        Assert.IsNull(Text([6], [2, 3]));
        // What could be dropped in many ways is not tried in all of them.
        Assert.IsNull(Text([.. Enumerable.Repeat(Dim.Known(1), 60), 2], [.. Enumerable.Repeat(1L, 60), 3]));

        static string? Text(Dim[] wanted, long[] given) => Extents.Align(wanted, given) is { } aligned ? string.Join(',', aligned) : null;
    }

    [TestMethod]
    public void Elements_of_a_type_that_cannot_be_meant_are_refused() =>
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 3], new float[6])), Model(ElementType.Int64, "N", 3))), "takes Int64, the array 'x' holds Float32");

    [TestMethod]
    public void Inputs_and_data_must_have_the_same_names()
    {
        var graph = Model(ElementType.Float32, "N", 3);
        graph.AddInput("z", new TensorType(ElementType.Float32));
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 3], new float[6])), graph)), "no data for input 'z'");
    }

    [TestMethod]
    [DataRow(ElementType.Float16)]
    [DataRow(ElementType.Float32)]
    [DataRow(ElementType.Float64)]
    public void The_first_value_that_is_no_number_is_found_wherever_it_stands(ElementType type)
    {
        // More than one piece of a mebibyte, and not a multiple of a vector.
        const int rows = 9, columns = 66_667;
        foreach (var bad in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            foreach (var at in new[] { 0, 1, 31, 33, columns - 1, (1 << 19) - 1, 1 << 19, rows * columns - 1 })
            {
                var values = new double[rows * columns];
                Array.Fill(values, -65504);
                values[at] = bad;
                values[^1] = bad;
                var bytes = type switch
                {
                    ElementType.Float16 => TensorData.Create<Half>([rows, columns], Array.ConvertAll(values, v => (Half)v)),
                    ElementType.Float32 => TensorData.Create<float>([rows, columns], Array.ConvertAll(values, v => (float)v)),
                    _ => TensorData.Create<double>([rows, columns], values),
                };
                Assert.AreEqual(at, NonFinite.Find(new TensorArray("x", bytes)));
            }
        }
    }

    [TestMethod]
    public void NaN_in_data_is_named_with_its_place()
    {
        var x = new float[6];
        x[5] = float.NaN;
        StringAssert.Contains(Refused(() => DatasetChecks.CheckInputs(Data(TensorData.Create<float>([2, 3], x)), Model(ElementType.Float32, "N", 3))), "array 'x' holds NaN or infinity at [1,2]");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckTargets(Labelled(TensorData.Vector(1f, float.PositiveInfinity)), [])), "array 'label' holds NaN or infinity at [1]");
    }

    [TestMethod]
    public void Class_labels_are_whole_and_below_the_outputs_width()
    {
        DatasetChecks.CheckClassLabels(Labelled(TensorData.Vector(0L, 9)), 10);
        DatasetChecks.CheckClassLabels(Labelled(TensorData.Vector(0f, 9f)), 10);
        StringAssert.Contains(Refused(() => DatasetChecks.CheckClassLabels(Labelled(TensorData.Vector(0L, 10)), 10)), "Label 10 at [1] of the array 'label' is not in 0 … 9");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckClassLabels(Labelled(TensorData.Vector(0L, -1)), 10)), "Label -1");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckClassLabels(Labelled(TensorData.Vector(0f, 1.5f)), 10)), "Label 1.5 at [1] of the array 'label' is no class index");
        StringAssert.Contains(Refused(() => DatasetChecks.CheckClassLabels(Labelled(TensorData.Create([2, 2, 1], [0L, 1, 2, 3])), 3)), "at [1,1,0]");
    }

    [TestMethod]
    public void Targets_are_as_many_as_the_output_has()
    {
        DatasetChecks.CheckTargets(Labelled(TensorData.Create<float>([2, 3], new float[6])), [3]);
        DatasetChecks.CheckTargets(Labelled(TensorData.Vector(1f, 2)), [1]);
        DatasetChecks.CheckTargets(Labelled(TensorData.Vector(1f, 2)), [Dim.Symbol("K")]);
        StringAssert.Contains(Refused(() => DatasetChecks.CheckTargets(Labelled(TensorData.Vector(1f, 2)), [3])), "holds 1 numbers per sample, the model's output [3] has 3");
        DatasetChecks.CheckBinaryTargets(Labelled(TensorData.Vector<byte>(0, 1)), [1]);
        StringAssert.Contains(Refused(() => DatasetChecks.CheckBinaryTargets(Labelled(TensorData.Vector(0f, 1.5f)), [1])), "Label 1.5 at [1]");
    }

    private static string Refused(Action check) => Assert.ThrowsExactly<DataException>(check).Message;

    private static Graph Model(ElementType type, params object[] dims)
    {
        var graph = new Graph("g");
        graph.AddInput("x", new TensorType(type, new Shape(dims.Select(d => d is int n ? (Dim)n : Dim.Symbol((string)d)))));
        return graph;
    }

    private static Dataset Data(TensorData x) => Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = x }, TensorData.Vector(0L, 1));

    private static Dataset Labelled(TensorData labels) => Dataset.FromTensors(new Dictionary<string, TensorData> { ["x"] = TensorData.Vector(0f, 1) }, labels);
}
