using Google.Protobuf;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Testing;
using static OnnxNas.Ir.Tests.Serialization.TestModels;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Bad files end in one clear line, whatever is wrong with them.</summary>
[TestClass]
public sealed class DamagedFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TestMethod]
    public void What_is_no_model_file_is_refused_by_name()
    {
        var path = folder.File("m.onnx");
        FileRefused("missing.onnx", "cannot be read");
        FileRefused("", "cannot be read");
        File.WriteAllBytes(path, []);
        FileRefused("m.onnx", "is empty");
        File.WriteAllText(path, "#!/bin/sh\necho no model\n");
        FileRefused("m.onnx", "not an ONNX model");
        File.WriteAllBytes(path, Floats(1, 2).ToByteArray());
        FileRefused("m.onnx", "");
        var whole = Add(Floats(1, 2, 3, 4)).ToByteArray();
        for (var length = 1; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            FileRefused("m.onnx", "");
        }

        File.WriteAllBytes(path, whole[..^3]);
        FileRefused("m.onnx", "truncated");
    }

    [TestMethod]
    public void A_damaged_byte_never_ends_in_another_kind_of_error()
    {
        var whole = new RandomModel(7).Build().ToByteArray();
        var random = new Random(1);
        for (var i = 0; i < 3000; i++)
        {
            var damaged = whole.ToArray();
            damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                OnnxFile.ToBytes(OnnxFile.Read(damaged));
            }
            catch (ModelFormatException e)
            {
                Assert.DoesNotContain("\n", e.Message);
            }
        }
    }

    [TestMethod]
    public void Text_that_is_no_utf8_is_refused_rather_than_changed()
    {
        var model = Relu();
        model.DocString = "marker";
        var bytes = model.ToByteArray();
        bytes[bytes.AsSpan().IndexOf("marker"u8)] = 0xFF;
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(bytes));
        StringAssert.Contains(error.Message, "UTF-8");
    }

    [TestMethod]
    public void Rules_of_a_model_are_checked()
    {
        Refused(m => m.Graph = null, "no graph");
        Refused(m => m.ClearIrVersion(), "no ir_version");
        Refused(m => m.OpsetImport.Clear(), "no opset_import");
        Refused(m => m.OpsetImport[0].ClearVersion(), "version 0");
        Refused(m => m.OpsetImport[0].Version = (1L << 32) + 17, "version 4294967313");
        Refused(m => m.OpsetImport[0].Version = -1, "version -1");
        Refused(m => m.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 3 }), "versions 17 and 3");
        Refused(m => m.Graph.Node[0].Domain = "com.example", "'com.example', which no opset_import names");
        Refused(m => m.Graph.Node[0].ClearOpType(), "no operator type");
    }

    [TestMethod]
    public void Every_value_is_defined_once_and_not_by_itself()
    {
        Refused(m => m.Graph.Node[0].Input[0] = "z", "Node Relu 'Relu_y' in graph 'g' reads 'z', which nothing defines");
        Refused(m => m.Graph.Output[0].Name = "z", "returns 'z', which nothing defines");
        Refused(m => m.Graph.Node.Add(Node("Neg", ["x"], ["y"])), "defines 'y' twice: as an output of Relu 'Relu_y' and as an output of Neg 'Neg_y'");
        Refused(m => m.Graph.Node[0].Output[0] = "x", "defines 'x' twice");
        Refused(m => m.Graph.Input.Add(Info("x")), "defines 'x' twice");
        Refused(m => m.Graph.Input.Add(Info("")), "has no name");
        Refused(m => m.Graph.Initializer.Add([Named("w"), Named("w")]), "defines 'w' twice");
        Refused(m => m.Graph.Initializer.Add(Floats(1)), "has no name");
        Refused(m => m.Graph.Initializer.Add(Named("y")), "defines 'y' twice");
        Refused(m => m.Graph.Node[0].Input[0] = "y", "has a cycle: Relu 'Relu_y' needs Relu 'Relu_y'");
        Refused(
            m =>
            {
                m.Graph.Node[0].Input[0] = "z";
                m.Graph.Node.Add(Node("Neg", ["y"], ["z"]));
            },
            "has a cycle: Relu 'Relu_y' needs Neg 'Neg_z' needs Relu 'Relu_y'");
        Refused(m => m.Graph.Node[0].Attribute.Add(Branch(new GraphProto { Node = { Node("Neg", ["y"], ["i"]) } })), "has a cycle: Relu 'Relu_y' needs Relu 'Relu_y'");
        Refused(m => m.Graph.Node[0].Attribute.Add(Branch(new GraphProto { Node = { Node("Neg", ["q"], ["i"]) } })), "reads 'q', which nothing defines");
    }

    [TestMethod]
    public void Attributes_say_their_type_and_hold_it()
    {
        Refused(m => m.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "a", I = 1 }), "Attribute 'a' of node Relu 'Relu_y' has type 0");
        Refused(m => m.Graph.Node[0].Attribute.Add(new AttributeProto { Name = "a", Type = AttributeProto.Types.AttributeType.Tensor }), "holds none");
        Refused(m => m.Graph.Node[0].Attribute.Add(new AttributeProto { Type = AttributeProto.Types.AttributeType.Int }), "without a name");
        Refused(m => m.Graph.Node[0].Attribute.Add([Int("a"), Int("a")]), "attribute 'a' twice");
        static AttributeProto Int(string name) => new() { Name = name, Type = AttributeProto.Types.AttributeType.Int, I = 1 };
    }

    [TestMethod]
    [DataRow(new long[] { -1 }, "negative")]
    [DataRow(new long[] { 1L << 40, 1L << 40 }, "2 GiB")]
    [DataRow(new long[] { 1L << 62, 4 }, "2 GiB")]
    [DataRow(new long[] { 1L << 32, 1L << 32, 1L << 32, 1L << 32, 1L << 32 }, "2 GiB")]
    [DataRow(new long[] { 1L << 30 }, "2 GiB")]
    [DataRow(new long[] { 1L << 28 }, "takes")]
    [DataRow(new long[] { 3 }, "takes")]
    [DataRow(new long[] { 0 }, "takes")]
    public void Dims_that_do_not_fit_the_payload_are_refused_before_anything_is_allocated(long[] dims, string expected)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var typed = Floats(1, 2, 3, 4);
        typed.Dims.Clear();
        typed.Dims.Add(dims);
        RefusedTensor(typed, expected);
        RefusedTensor(new TensorProto { DataType = 1, Dims = { dims }, RawData = ByteString.CopyFrom(new byte[16]) }, expected);
        Assert.IsLessThan(1 << 22, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [TestMethod]
    public void Payloads_that_contradict_the_element_type_are_refused()
    {
        RefusedTensor(new TensorProto { Dims = { 0 } }, "element type 0");
        RefusedTensor(new TensorProto { DataType = 99, Dims = { 0 } }, "element type 99");
        RefusedTensor(new TensorProto { DataType = 1, Dims = { 1 }, Int32Data = { 1 } }, "int32_data as well");
        RefusedTensor(new TensorProto { DataType = 1, Dims = { 1 }, FloatData = { 1 }, RawData = ByteString.CopyFrom(new byte[4]) }, "float_data as well");
        RefusedTensor(new TensorProto { DataType = 8, Dims = { 1 }, RawData = ByteString.CopyFrom(new byte[4]) }, "strings");
        RefusedTensor(new TensorProto { DataType = 8, Dims = { 2 }, StringData = { ByteString.Empty } }, "takes 2 entries");
    }

    [TestMethod]
    [DataRow(ElementType.Int8, 128)]
    [DataRow(ElementType.Int8, -129)]
    [DataRow(ElementType.UInt8, 256)]
    [DataRow(ElementType.UInt8, -1)]
    [DataRow(ElementType.Int16, 32768)]
    [DataRow(ElementType.UInt16, 65536)]
    [DataRow(ElementType.Float16, -1)]
    [DataRow(ElementType.BFloat16, 65536)]
    [DataRow(ElementType.Float8E4M3FN, 256)]
    [DataRow(ElementType.Bool, 2)]
    [DataRow(ElementType.UInt4, 256)]
    [DataRow(ElementType.Int4, -129)]
    public void A_typed_entry_too_large_for_its_type_is_refused(ElementType type, int entry) =>
        RefusedTensor(new TensorProto { DataType = (int)type, Dims = { 1 }, Int32Data = { entry } }, $"int32_data[0] is {entry}");

    [TestMethod]
    public void A_typed_entry_too_large_for_uint32_is_refused() =>
        RefusedTensor(new TensorProto { DataType = 12, Dims = { 1 }, Uint64Data = { 1UL << 32 } }, "uint64_data[0]");

    [TestMethod]
    public void Functions_that_call_themselves_are_refused()
    {
        Refused(m => m.Functions.Add(Function("a", "a")), "Function f::a calls f::a: functions must not call themselves");
        Refused(m => m.Functions.Add([Function("a", "b"), Function("b", "c"), Function("c", "b")]), "Function f::b calls f::c calls f::b");
        Refused(m => m.Functions.Add([Function("a"), Function("a")]), "f::a is defined twice");
        Refused(m => m.Functions.Add(Function("")), "has no name");
        var hidden = Function("a");
        hidden.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        hidden.Node.Add(Node("If", [], ["o"]));
        hidden.Node[0].Attribute.Add(Branch(new GraphProto { Node = { new NodeProto { OpType = "a", Domain = "f" } } }));
        Refused(m => m.Functions.Add(hidden), "calls f::a");
    }

    [TestMethod]
    public void A_hundred_thousand_functions_are_read_and_cost_no_stack()
    {
        var model = Relu();
        const int Count = 100_000;
        for (var i = 0; i < Count; i++)
            model.Functions.Add(i + 1 < Count ? Function($"f{i}", $"f{i + 1}") : Function($"f{i}"));
        var bytes = model.ToByteArray();
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(OnnxFile.Read(bytes)));
        model.Functions[^1] = Function($"f{Count - 1}", "f0");
        Refused(m => m.Functions.Add(model.Functions), "functions must not call themselves");
    }

    [TestMethod]
    public void Deep_nesting_is_refused_and_costs_no_stack()
    {
        Refused(m => m.Graph.Node[0].Attribute.Add(Branch(Nested(40))), "more than 100 messages deep");
        var fine = Relu();
        fine.Graph.Node[0].Attribute.Add(Branch(Nested(30)));
        CollectionAssert.AreEqual(fine.ToByteArray(), OnnxFile.ToBytes(OnnxFile.Read(fine.ToByteArray())));
        var type = new TypeProto { TensorType = new() { ElemType = 1 } };
        for (var i = 0; i < 200; i++)
            type = new TypeProto { SequenceType = new() { ElemType = type } };
        Refused(m => m.Graph.Input[0].Type = type, "more than 100 messages deep");

        static GraphProto Nested(int depth)
        {
            var graph = new GraphProto();
            for (var i = 0; i < depth; i++)
                graph = new GraphProto { Node = { new NodeProto { OpType = "If", Attribute = { Branch(graph) } } } };
            return graph;
        }
    }

    [TestMethod]
    public void A_dimension_that_multiplies_out_to_millions_of_terms_stays_a_name()
    {
        var bomb = string.Join('*', Enumerable.Range(0, 40).Select(i => $"(a{i}+b{i})"));
        var model = Relu();
        model.Graph.Input[0].Type.TensorType.Shape.Dim[0].DimParam = bomb;
        var read = OnnxFile.Read(model.ToByteArray());
        Assert.AreEqual(bomb, read.Graph.Inputs[0].Shape![0].ToString());
        CollectionAssert.AreEqual(model.ToByteArray(), OnnxFile.ToBytes(read));
    }

    private static FunctionProto Function(string name, string? callee = null)
    {
        var function = new FunctionProto { Name = name, Domain = "f" };
        if (callee is not null)
            function.Node.Add(new NodeProto { OpType = callee, Domain = "f" });
        return function;
    }

    private static AttributeProto Branch(GraphProto graph) => new() { Name = "branch", Type = AttributeProto.Types.AttributeType.Graph, G = graph };

    private static TensorProto Named(string name)
    {
        var tensor = Floats(1);
        tensor.Name = name;
        return tensor;
    }

    private static void Refused(Action<ModelProto> damage, string expected)
    {
        var model = Relu();
        damage(model);
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(model.ToByteArray()));
        StringAssert.Contains(error.Message, expected);
        Assert.DoesNotContain("\n", error.Message);
    }

    private static void RefusedTensor(TensorProto tensor, string expected)
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(Add(tensor).ToByteArray()));
        StringAssert.Contains(error.Message, "Initializer 'w'");
        StringAssert.Contains(error.Message, expected);
    }

    private void FileRefused(string name, string expected)
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => OnnxFile.Read(folder.File(name)));
        StringAssert.Contains(error.Message, expected);
        StringAssert.Contains(error.Message, $"'{folder.File(name)}'");
        Assert.DoesNotContain("\n", error.Message);
    }
}
