using Google.Protobuf;
using OnnxNas.Evaluation;
using OnnxNas.Ir.Serialization;
using OnnxNas.Ir.Serialization.Proto;
using OnnxNas.Testing;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Payloads are compared with bytes worked out by hand, and with what ONNX Runtime makes of the same file.</summary>
[TestClass]
public sealed class TensorPayloadTests
{
    [TestMethod]
    [DataRow(ElementType.Float16, new[] { 0x3C00, 0xC000 }, "003C00C0")] // 1, -2
    [DataRow(ElementType.BFloat16, new[] { 0x3F80 }, "803F")]
    [DataRow(ElementType.Int32, new[] { 1, -2 }, "01000000FEFFFFFF")]
    [DataRow(ElementType.Int16, new[] { 1, -2 }, "0100FEFF")]
    [DataRow(ElementType.UInt16, new[] { 65534 }, "FEFF")]
    [DataRow(ElementType.Int8, new[] { 1, -2 }, "01FE")]
    [DataRow(ElementType.UInt8, new[] { 1, 254 }, "01FE")]
    [DataRow(ElementType.Bool, new[] { 1, 0 }, "0100")]
    [DataRow(ElementType.Float8E4M3FN, new[] { 0x38 }, "38")]
    public void An_int32_entry_is_one_element(ElementType type, int[] entries, string expected)
    {
        var tensor = Read(new TensorProto { DataType = (int)type, Dims = { entries.Length }, Int32Data = { entries } });
        Assert.AreEqual(expected, Convert.ToHexString(tensor.Bytes.Span));
    }

    [TestMethod]
    [DataRow(ElementType.Int4, 3, new[] { 0x21, 0x0F }, "210F")]
    [DataRow(ElementType.UInt4, 4, new[] { 0x21, 0xFF }, "21FF")]
    [DataRow(ElementType.Int4, 2, new[] { -1 }, "FF")]
    [DataRow(ElementType.Float4E2M1, 1, new[] { 7 }, "07")]
    [DataRow(ElementType.UInt2, 5, new[] { 0xE4, 0x01 }, "E401")]
    [DataRow(ElementType.Int2, 4, new[] { 0xE4 }, "E4")]
    public void Elements_below_a_byte_come_packed_in_bytes(ElementType type, int count, int[] entries, string expected)
    {
        var tensor = Read(new TensorProto { DataType = (int)type, Dims = { count }, Int32Data = { entries } });
        Assert.AreEqual(expected, Convert.ToHexString(tensor.Bytes.Span));
    }

    [TestMethod]
    public void Wide_typed_fields_are_little_endian_bytes()
    {
        Assert.AreEqual("0000803F000000C0", Hex(new TensorProto { DataType = 1, Dims = { 2 }, FloatData = { 1, -2 } }));
        Assert.AreEqual("0000803F000000C0", Hex(new TensorProto { DataType = (int)ElementType.Complex64, Dims = { 1 }, FloatData = { 1, -2 } }));
        Assert.AreEqual("000000000000F03F", Hex(new TensorProto { DataType = (int)ElementType.Float64, Dims = { }, DoubleData = { 1 } }));
        Assert.AreEqual("000000000000F03F00000000000000C0", Hex(new TensorProto { DataType = (int)ElementType.Complex128, Dims = { 1 }, DoubleData = { 1, -2 } }));
        Assert.AreEqual("FEFFFFFFFFFFFFFF", Hex(new TensorProto { DataType = (int)ElementType.Int64, Dims = { 1 }, Int64Data = { -2 } }));
        Assert.AreEqual("FEFFFFFFFFFFFFFF", Hex(new TensorProto { DataType = (int)ElementType.UInt64, Dims = { 1 }, Uint64Data = { ulong.MaxValue - 1 } }));
        Assert.AreEqual("FEFFFFFF", Hex(new TensorProto { DataType = (int)ElementType.UInt32, Dims = { 1 }, Uint64Data = { uint.MaxValue - 1 } }));
    }

    [TestMethod]
    public void Strings_are_kept_as_bytes()
    {
        var tensor = Read(new TensorProto { DataType = 8, Dims = { 2 }, StringData = { ByteString.CopyFromUtf8("ü"), ByteString.CopyFrom(0xFF) } });
        CollectionAssert.AreEqual(new byte[] { 0xC3, 0xBC }, tensor.Strings[0].ToArray());
        CollectionAssert.AreEqual(new byte[] { 0xFF }, tensor.Strings[1].ToArray());
    }

    [TestMethod]
    [DataRow(TensorStorage.Raw, false)]
    [DataRow(TensorStorage.Typed, false)]
    [DataRow(TensorStorage.Typed, true)]
    public void ONNX_Runtime_reads_every_type_as_it_is_written(TensorStorage storage, bool external)
    {
        var graph = new Graph("g");
        var random = new Random(1);
        ElementType[] types =
        [
            ElementType.Float32, ElementType.Float64, ElementType.Float16, ElementType.Int8, ElementType.UInt8, ElementType.Int16, ElementType.UInt16,
            ElementType.Int32, ElementType.UInt32, ElementType.Int64, ElementType.UInt64, ElementType.Bool,
        ];
        foreach (var type in types)
        {
            var bytes = new byte[type.ByteCount(1200)];
            random.NextBytes(bytes);
            for (var i = 0; type == ElementType.Bool && i < bytes.Length; i++)
                bytes[i] &= 1;
            var constant = graph.AddInitializer(type.ToString(), TensorData.FromBytes(type, [30, 40], bytes, storage));
            var output = graph.Call("Identity", [constant]);
            output.Type = constant.Type;
            graph.AddOutput(output);
        }

        using var folder = new TemporaryFolder();
        OnnxFile.Write(new Model(graph) { OpsetImports = { [""] = 17 } }, folder.File("m.onnx"), new WriteOptions { ExternalData = external });
        Assert.AreEqual(external, File.Exists(folder.File("m.onnx.data")));
        using var session = new OnnxSession(folder.File("m.onnx"));
        var results = session.Run(new Dictionary<string, TensorData>());
        for (var i = 0; i < types.Length; i++)
            Assert.IsTrue(graph.Find(types[i].ToString())!.Initializer!.Bytes.Span.SequenceEqual(results[i].Bytes.Span), types[i].ToString());
    }

    private static TensorData Read(TensorProto proto)
    {
        var bytes = proto.ToByteArray();
        var tensor = new TensorReader(null).Read(proto, "t", named: false);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(tensor));
        return tensor;
    }

    private static string Hex(TensorProto proto) => Convert.ToHexString(Read(proto).Bytes.Span);
}
