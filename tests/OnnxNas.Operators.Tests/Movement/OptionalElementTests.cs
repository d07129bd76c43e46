using OnnxNas.Ir;
using OnnxNas.Testing;
using static OnnxNas.Testing.TestTensors;

namespace OnnxNas.Operators.Tests.Movement;

[TestClass]
public sealed class OptionalElementTests
{
    public static IEnumerable<OperatorCase> Rows =>
    [
        new("a tensor", 18, "OptionalHasElement", Normal(1, 2, 3)),
        new("an omitted input", 18, "OptionalHasElement", [null]),
        new("no input", 18, "OptionalHasElement", []),
        new("no input in an old version", 15, "OptionalHasElement", []) { Refusal = "input 0 is missing" },
        new("a tensor", 18, "OptionalGetElement", Normal(1, 2, 3)),
        new("integers", 18, "OptionalGetElement", Int64s(1, -5, 5, 4)),
        new("no input", 18, "OptionalGetElement", []) { Refusal = "input 0 is missing" },
    ];

    [TestMethod]
    [DynamicData(nameof(Rows))]
    public void Rows_hold(OperatorCase row) => OperatorHarness.Check(row);

    [TestMethod]
    [DataRow("OptionalHasElement")]
    [DataRow("OptionalGetElement")]
    public void Values_of_optional_type_are_refused_by_name(string op)
    {
        var graph = new Graph("g");
        var input = graph.AddInput("x", new OptionalType(new TensorType(ElementType.Float32)));
        var node = graph.Call(op, [input]).Producer!;
        var error = Assert.ThrowsExactly<UnsupportedOperatorException>(() => OperatorRegistry.Default.Bind(node, new Dictionary<string, int> { [""] = 18 }));
        Assert.Contains("optional type", error.Message);
        Assert.Contains(op, error.Message);
    }
}
