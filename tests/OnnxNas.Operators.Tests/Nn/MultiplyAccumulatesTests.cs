using OnnxNas.Ir;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Operators.Tests.Nn;

/// <summary>Counts against hand calculation, with the batch left as a symbol.</summary>
[TestClass]
public sealed class MultiplyAccumulatesTests
{
    [TestMethod]
    [DataRow("Conv", "N,6,8,8", "12,3,3,3", "group=2", "20736*N")] // 12·8·8·3·9 with pads 1
    [DataRow("ConvTranspose", "N,6,4,4", "6,5,3,3", "group=2", "4320*N")] // 6·16·5·9
    [DataRow("Gemm", "N,4", "5,4", "transB=1", "20*N")]
    [DataRow("Gemm", "4,N", "4,5", "transA=1", "20*N")]
    [DataRow("MatMul", "N,2,3,4", "4,5", "", "120*N")]
    [DataRow("MatMul", "4", "N,4,5", "", "20*N")]
    [DataRow("Einsum", "N,3,4", "N,4,5", "equation=bij,bjk->bik", "60*N")] // As the product of matrices it is.
    [DataRow("Einsum", "N,2,3", "7,3", "equation=...c,dc->...d", "42*N")]
    public void Counts_are_those_of_the_formula(string op, string first, string second, string attribute, string expected)
    {
        var graph = new Graph("g");
        var inputs = new[] { first, second }
            .Select((text, i) => graph.AddInput($"i{i}", new TensorType(ElementType.Float32, new Shape(text.Split(',').Select(Dim.Parse)))))
            .ToList();
        var attributes = new List<Attr>();
        if (attribute.Split('=') is [var name, var value])
            attributes.Add(long.TryParse(value, out var number) ? Attr.Of(name, number) : Attr.Of(name, value));
        if (op == "Conv")
            attributes.Add(Attr.Of("pads", [1L, 1, 1, 1]));
        var node = graph.Call(op, inputs, attributes: attributes).Producer!;
        var bound = OperatorRegistry.Default.Bind(node, new Dictionary<string, int> { [""] = 13 });
        var context = new InferenceContext(node, [.. inputs.Select(v => new InferredValue(v.Type))], [null, null]);

        Assert.AreEqual(Dim.Parse(expected), bound.MultiplyAccumulates(context, bound.Infer(context)));
    }
}
