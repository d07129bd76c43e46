using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Sampling;

[TestClass]
public sealed class SamplingTests
{
    private static readonly TensorData X = Normal(1, 1, 2, 3, 4);
    private static readonly TensorData Grid = Uniform(2, -1.3f, 1.3f, 1, 2, 3, 2);

    public static IEnumerable<OperatorCase> Grids =>
    [
        .. from mode in (string[])["linear", "nearest", "cubic"]
           from padding in (string[])["zeros", "border", "reflection"]
           from aligned in (int[])[0, 1]
           select new OperatorCase($"{mode} {padding} {aligned}", 20, "GridSample", X, Grid)
           {
               Attributes = [Attr.Of("mode", mode), Attr.Of("padding_mode", padding), Attr.Of("align_corners", aligned)],
           },
        new("bilinear", 16, "GridSample", X, Grid),
        new("volume", 22, "GridSample", Normal(1, 1, 2, 2, 3, 2), Uniform(2, -1, 1, 1, 2, 1, 2, 3)) { NoOracle = "ONNX's own cases cover it" },
        new("volume in version 16", 16, "GridSample", Normal(1, 1, 2, 2, 3, 2), Uniform(2, -1, 1, 1, 2, 1, 2, 3)) { Refusal = "planes" },
        new("coordinates that do not fit", 20, "GridSample", X, Normal(2, 1, 2, 3, 3)) { Refusal = "coordinates" },
        new("planes", 20, "AffineGrid", Normal(1, 2, 2, 3), TensorData.Vector<long>(2, 3, 3, 4)) { Constants = [1] },
        new("corners", 20, "AffineGrid", Normal(1, 2, 2, 3), TensorData.Vector<long>(2, 3, 3, 4)) { Constants = [1], Attributes = [Attr.Of("align_corners", 1)] },
        new("volume", 20, "AffineGrid", Normal(1, 1, 3, 4), TensorData.Vector<long>(1, 3, 3, 2, 2)) { Constants = [1] },
        new("integers", 20, "AffineGrid", Int64s(1, 0, 9, 2, 2, 3), TensorData.Vector<long>(2, 3, 3, 4)) { Constants = [1], Refusal = "do not multiply" },
        new("a size that does not fit", 20, "AffineGrid", Normal(1, 2, 2, 3), TensorData.Vector<long>(1, 3, 3, 4)) { Refusal = "do not fit" },
    ];

    public static IEnumerable<OperatorCase> Regions =>
    [
        new("moved", 19, "DeformConv", X, Normal(2, 2, 2, 2, 2), Uniform(3, -0.8f, 0.8f, 1, 8, 2, 3)) { NoOracle = "ONNX's own cases cover it" },
        new("groups, a mask and a bias", 22, "DeformConv", X, Normal(2, 2, 1, 2, 2), Uniform(3, -0.8f, 0.8f, 1, 16, 2, 2), Normal(4, 2), Uniform(5, 0.2f, 1, 1, 8, 2, 2))
        {
            Attributes = [Attr.Of("group", 2), Attr.Of("offset_group", 2), Attr.Of("strides", [2L, 2]), Attr.Of("pads", [1L, 0, 0, 1])],
            NoOracle = "ONNX's own cases cover it",
        },
        new("weights of another type", 19, "DeformConv", X, Normal(2, 2, 2, 2, 2).As(ElementType.Float64), Uniform(3, -0.8f, 0.8f, 1, 8, 2, 3)) { Refusal = "do not multiply" },
        new("an offset that does not fit", 19, "DeformConv", X, Normal(2, 2, 2, 2, 2), Normal(3, 1, 8, 2, 2)) { Refusal = "do not fit" },
        .. from mode in (string[])["avg", "max"]
           from opset in (int[])[10, 16]
           select new OperatorCase(mode, opset, "RoiAlign", Normal(1, 2, 2, 5, 6), Rois, TensorData.Vector<long>(0, 1))
           {
               Attributes = [Attr.Of("mode", mode), Attr.Of("output_height", 2), Attr.Of("output_width", 3), Attr.Of("sampling_ratio", 2)],
               NoGradient = new Dictionary<int, string> { [1] = "regions pass no gradient" },
           },
        new("adaptive samples", 16, "RoiAlign", Normal(1, 2, 2, 5, 6), Rois, TensorData.Vector<long>(0, 1)) { Attributes = [Attr.Of("output_height", 2), Attr.Of("spatial_scale", 1.2f)], NoGradient = new Dictionary<int, string> { [1] = "regions pass no gradient" } },
        new("no such plane", 16, "RoiAlign", Normal(1, 2, 2, 5, 6), Rois, TensorData.Vector<long>(0, 2)) { Refusal = "index 2" },
        .. from opset in (int[])[7, 22]
           select new OperatorCase("cells", opset, "MaxRoiPool", Distinct(1, 2, 2, 5, 6), TensorData.Create<float>([2, 5], [0, 0, 0, 3, 4, 1, 1, 2, 5, 4]))
           {
               Attributes = [Attr.Of("pooled_shape", [2L, 2])],
               NoOracle = opset == 22 ? "ONNX Runtime has no kernel of the version" : null,
               NoGradient = new Dictionary<int, string> { [1] = "regions pass no gradient" },
           },
        new("no such plane", 7, "MaxRoiPool", Normal(1, 1, 2, 5, 6), TensorData.Create<float>([1, 5], [1, 0, 0, 3, 4])) { Attributes = [Attr.Of("pooled_shape", [2L, 2])], Refusal = "region" },
        new("back to its place", 9, "MaxUnpool", Normal(1, 1, 1, 2, 2), TensorData.Create<long>([1, 1, 2, 2], [5, 7, 13, 15])) { Attributes = [Attr.Of("kernel_shape", [2L, 2]), Attr.Of("strides", [2L, 2])] },
        new("into a larger one", 22, "MaxUnpool", Normal(1, 1, 1, 2, 2), TensorData.Create<long>([1, 1, 2, 2], [5, 7, 13, 15]), TensorData.Vector<long>(1, 1, 5, 5))
        {
            Constants = [2],
            Attributes = [Attr.Of("kernel_shape", [2L, 2]), Attr.Of("strides", [2L, 2])],
            NoOracle = "it counts places in the larger one; ONNX's own cases cover it",
        },
        new("no such place", 11, "MaxUnpool", Normal(1, 1, 1, 2, 2), TensorData.Create<long>([1, 1, 2, 2], [5, 7, 13, 16])) { Attributes = [Attr.Of("kernel_shape", [2L, 2]), Attr.Of("strides", [2L, 2])], Refusal = "index 16" },
    ];

    private static TensorData Rois => TensorData.Create<float>([2, 4], [0.3f, 0.6f, 4.1f, 3.7f, 1.2f, 0.4f, 3.3f, 4.4f]);

    [TestMethod]
    [DynamicData(nameof(Grids))]
    [DynamicData(nameof(Regions))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
