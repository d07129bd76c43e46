using System.Globalization;
using Google.Protobuf;
using OnnxNas.Ir.Printing;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Ir.Tests.Serialization;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Printing;

[TestClass]
public sealed class GraphPrinterTests
{
    private const string Rewrite = "ONNXNAS_REWRITE_GOLDENS";

    [TestMethod]
    public void A_model_prints_as_the_golden_text_has_it()
    {
        var text = GraphPrinter.Print(Sample());
        var golden = Golden("model.txt");
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
            File.WriteAllText(golden, text);
        Assert.AreEqual(File.ReadAllText(golden), text, $"Set {Rewrite}=1 to write the text anew.");
    }

    [TestMethod]
    public void The_culture_does_not_matter()
    {
        var before = CultureInfo.CurrentCulture;
        var text = GraphPrinter.Print(Sample());
        try
        {
            var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            (culture.NumberFormat.NumberDecimalSeparator, culture.NumberFormat.NegativeSign) = (",", "minus");
            CultureInfo.CurrentCulture = culture;
            Assert.AreEqual(text, GraphPrinter.Print(Sample()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [TestMethod]
    public void A_model_prints_the_same_after_writing_and_reading()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var model = OnnxFile.Read(new RandomModel(seed).Build().ToByteArray());
            Assert.AreEqual(GraphPrinter.Print(model), GraphPrinter.Print(OnnxFile.Read(OnnxFile.ToBytes(model))));
        }
    }

    [TestMethod]
    public void A_node_is_one_line_whatever_its_name_holds()
    {
        var proto = TestModels.Relu();
        var lines = Lines(proto);
        proto.Graph.Node[0].Name = "a\nb\u2028c\u001b[31m";
        Assert.AreEqual(lines, Lines(proto));
        StringAssert.Contains(GraphPrinter.Print(OnnxFile.Read(proto.ToByteArray())), "# a\\nb\\u2028c\\u001b[31m");

        static int Lines(ModelProto model) => GraphPrinter.Print(OnnxFile.Read(model.ToByteArray())).Split('\n').Length;
    }

    private static Model Sample()
    {
        var graph = new Graph("main");
        var x = graph.AddInput("x", new TensorType(ElementType.Float32, new Shape(Dim.Symbol("N"), Dim.Parse("2*N+1"), Dim.Unknown(), 4)));
        var sequence = graph.AddInput("s", new SequenceType(new OptionalType(new TensorType(ElementType.Int64))));
        var weight = graph.AddInitializer("w", TensorData.Create<float>([3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]));
        var bias = graph.AddInitializer("b", TensorData.Vector(0.1f, -1.5f, float.NaN));
        graph.AddInitializer("packed", TensorData.FromBytes(ElementType.Int4, [3], new byte[] { 0x21, 3 }));
        graph.AddInitializer("text", TensorData.FromStrings([2], ["a\"b"u8.ToArray(), "ü"u8.ToArray()]));
        graph.AddInitializer("flag", TensorData.FromBytes(ElementType.Bool, [], new byte[] { 1 }));
        graph.SparseInitializers.Add(new SparseTensorData(TensorData.Vector(2.5), TensorData.Vector(7L), [9]) { Name = "sparse" });
        var y = graph.AddValue("y", new TensorType(ElementType.Float32));
        var gemm = graph.AddNode("Gemm", [x, weight, null, bias], [y, null], name: "l.0/Gemm");
        foreach (var attribute in new[]
        {
            Attr.Of("transB", 1), Attr.Of("alpha", 0.5f), Attr.Of("mode", "linear"), Attr.Of("pads", new long[] { 0, 1 }), Attr.Of("scales", new[] { 1.5f, -0f }),
            Attr.Of("names", new[] { "a", "b" }), Attr.Of("value", TensorData.Scalar(3L)), Attr.Of("type", new TensorType(ElementType.Bool, Shape.Scalar)),
        })
            gemm.SetAttribute(attribute);
        var inner = new Graph("then", graph);
        inner.AddOutput(inner.Call("Neg", [y], "n"));
        var empty = new Graph("else", graph);
        empty.AddOutput(y);
        var result = graph.Call("If", [sequence], "r", attributes: [Attr.Of("then_branch", inner), Attr.Of("else_branch", empty)]);
        graph.AddOutput(graph.Call("Pick", [result], "z", "org.example"));

        var body = new Graph("Pick");
        var formal = body.AddInput("a");
        body.AddOutput(body.Call("Elu", [formal], "o", attributes: [Attr.Reference("alpha", AttrKind.Float, "slope")]));
        return new Model(graph)
        {
            ProducerName = "tests",
            ProducerVersion = "1",
            OpsetImports = { [""] = 17, ["org.example"] = 1 },
            Metadata = { ["made"] = "by hand" },
            Functions = { new Function("org.example", "Pick", body) { AttributeNames = { "slope" }, AttributeDefaults = { Attr.Of("axis", 1) }, OpsetImports = { [""] = 17 } } },
        };
    }

    private static string Golden(string name) => Path.Combine(RepositoryFiles.Root, "tests", "OnnxNas.Ir.Tests", "Printing", name);
}
