using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

[TestClass]
public sealed class ResizeTests
{
    private static readonly TensorData X = Normal(1, 2, 3, 4, 6);
    private static readonly TensorData Up = TensorData.Vector(1f, 1f, 2f, 2.5f);
    private static readonly TensorData Down = TensorData.Vector(1f, 1f, 0.5f, 0.6f);

    public static IEnumerable<OperatorCase> Rows =>
    [
        .. from mode in new[] { "nearest", "linear" }
           from row in new OperatorCase[]
           {
               new($"{mode}", 7, "Upsample", X) { Attributes = [Attr.Of("mode", mode), Attr.Of("scales", [1f, 1f, 2f, 3f])] },
               new($"{mode}", 9, "Upsample", X, Up) { Constants = [1], Attributes = [Attr.Of("mode", mode)] },
               new($"{mode} up", 10, "Resize", X, Up) { Constants = [1], Attributes = [Attr.Of("mode", mode)] },
               new($"{mode} down", 10, "Resize", X, Down) { Constants = [1], Attributes = [Attr.Of("mode", mode)] },
           }
           select row,
        .. from mode in new[] { "nearest", "linear", "cubic" }
           from coordinates in new[] { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric" }
           from scales in new[] { Up, Down }
           from opset in coordinates == "half_pixel_symmetric" ? new[] { 19 } : [11, 13, 18]
           select new OperatorCase($"{mode} {coordinates} {(scales == Up ? "up" : "down")}", opset, "Resize", X, TensorData.Vector<float>(), scales)
           {
               Constants = [1, 2],
               Attributes = [Attr.Of("mode", mode), Attr.Of("coordinate_transformation_mode", coordinates)],
               NoOracle = coordinates == "align_corners" && scales == Down ? "it takes the extent after rounding; ONNX's own cases cover it" : null,
           },
        .. from rounding in new[] { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" }
           from scales in new[] { Up, Down }
           select new OperatorCase($"{rounding} {(scales == Up ? "up" : "down")}", 13, "Resize", X, null, scales) { Constants = [2], Attributes = [Attr.Of("nearest_mode", rounding)] },
        new("cubic of other coefficient", 13, "Resize", X, null, Up) { Constants = [2], Attributes = [Attr.Of("mode", "cubic"), Attr.Of("cubic_coeff_a", -0.5f), Attr.Of("exclude_outside", 1)] },
        new("sizes", 13, "Resize", X, null, null, TensorData.Vector<long>(2, 3, 7, 9)) { Constants = [3], Attributes = [Attr.Of("mode", "linear")] },
        new("sizes of axes", 18, "Resize", X, null, null, TensorData.Vector<long>(7, 9)) { Constants = [3], Attributes = [Attr.Of("axes", [2L, -1L])] },
        new("not larger", 18, "Resize", X, null, null, TensorData.Vector<long>(7, 9)) { Constants = [3], Attributes = [Attr.Of("axes", [2L, 3L]), Attr.Of("keep_aspect_ratio_policy", "not_larger")] },
        new("not smaller", 19, "Resize", X, null, null, TensorData.Vector<long>(7, 9)) { Constants = [3], Attributes = [Attr.Of("axes", [2L, 3L]), Attr.Of("keep_aspect_ratio_policy", "not_smaller")] },
        .. from mode in new[] { "linear", "cubic" }
           select new OperatorCase($"smoothed {mode}", 18, "Resize", X, null, TensorData.Vector(1f, 1f, 0.6f, 0.6f)) { Constants = [2], Attributes = [Attr.Of("mode", mode), Attr.Of("antialias", 1), Attr.Of("exclude_outside", 1)] },
        new("region", 13, "Resize", X, TensorData.Vector(0f, 0f, 0.2f, 0.3f, 1f, 1f, 0.8f, 1.3f), null, TensorData.Vector<long>(2, 3, 3, 5))
        {
            Constants = [1, 3],
            Attributes = [Attr.Of("mode", "linear"), Attr.Of("coordinate_transformation_mode", "tf_crop_and_resize"), Attr.Of("extrapolation_value", 7f)],
        },
        new("for nearest neighbours", 11, "Resize", X, TensorData.Vector<float>(), Up) { Constants = [1, 2], Attributes = [Attr.Of("coordinate_transformation_mode", "tf_half_pixel_for_nn"), Attr.Of("nearest_mode", "floor")] },
        new("at run time", 13, "Resize", X, null, Up) { DynamicShape = true, NoGradient = new Dictionary<int, string> { [2] = "decides the shape only" } },
        new("neither scales nor sizes", 13, "Resize", X) { Refusal = "neither" },
        new("too few scales", 13, "Resize", X, null, TensorData.Vector(2f)) { Refusal = "do not fit" },
        new("scale 0", 13, "Resize", X, null, TensorData.Vector(1f, 1f, 0f, 1f)) { Refusal = "positive" },
        new("no region", 13, "Resize", X, null, Up) { Attributes = [Attr.Of("coordinate_transformation_mode", "tf_crop_and_resize")], Refusal = "region" },
        new("region without end", 13, "Resize", X, TensorData.Vector(0f, 0f, 0.2f, -1e30f, 1f, 1f, 0.8f, 1e30f), null, TensorData.Vector<long>(2, 3, 3, 5))
        {
            Attributes = [Attr.Of("coordinate_transformation_mode", "tf_crop_and_resize"), Attr.Of("mode", "linear")],
            Refusal = "fractions",
        },
        new("cubic in version 10", 10, "Resize", X, Up) { Attributes = [Attr.Of("mode", "cubic")], Refusal = "cubic" },
        new("withdrawn", 10, "Upsample", X, Up) { Refusal = "Resize" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);
}
