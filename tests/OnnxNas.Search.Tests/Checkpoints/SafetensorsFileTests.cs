using System.Buffers.Binary;
using System.Text;
using OnnxNas.Ir;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Testing;

namespace OnnxNas.Search.Tests.Checkpoints;

[TestClass]
public sealed class SafetensorsFileTests
{
    // The example every attack starts from: two numbers in a, three bytes in b.
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}""";

    private static readonly byte[] Data = [0, 0, 128, 63, 0, 0, 0, 192, 7, 8, 9];

    [TestMethod]
    public void A_file_written_by_hand_is_read()
    {
        // Header of 59 bytes padded to 64, one int16 tensor [1,2] of 258 and -2.
        var header = """{"w":{"dtype":"I16","shape":[1,2],"data_offsets":[0,4]}}""";
        byte[] file = [64, 0, 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(header.PadRight(64)), 2, 1, 254, 255];
        var tensor = Read(file).Single();
        Assert.AreEqual("w", tensor.Key);
        CollectionAssert.AreEqual((long[])[1, 2], tensor.Value.Dims.ToArray());
        CollectionAssert.AreEqual((short[])[258, -2], tensor.Value.AsSpan<short>().ToArray());
    }

    [TestMethod]
    public void What_is_written_is_byte_for_byte_as_the_format_says()
    {
        using var folder = new TemporaryFolder();
        SafetensorsFile.Write(folder.File("a"), new Dictionary<string, TensorData>
        {
            ["z"] = TensorData.Vector<byte>(5),
            ["b"] = TensorData.Vector<float>(1f),
            ["a"] = TensorData.Scalar(-2f),
            ["d"] = TensorData.Create<double>([0, 3], []),
        });
        var header = """{"d":{"dtype":"F64","shape":[0,3],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"z":{"dtype":"U8","shape":[1],"data_offsets":[8,9]}}""";
        var length = (header.Length + 7) / 8 * 8;
        byte[] expected = [(byte)length, (byte)(length >> 8), 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(header.PadRight(length)), 0, 0, 0, 192, 0, 0, 128, 63, 5];
        CollectionAssert.AreEqual(expected, File.ReadAllBytes(folder.File("a")));
    }

    [TestMethod]
    public void Every_type_comes_back_bit_for_bit()
    {
        var tensors = new Dictionary<string, TensorData>
        {
            // Quiet and signalling NaNs with payloads, negative zero, the smallest number.
            ["f64"] = TensorData.Create<double>([2, 2], [BitConverter.UInt64BitsToDouble(0x7FF8_0000_0000_1234), BitConverter.UInt64BitsToDouble(0xFFF0_0000_0000_0001), -0.0, double.Epsilon]),
            ["f32"] = TensorData.Vector(BitConverter.UInt32BitsToSingle(0x7FA1_2345), BitConverter.UInt32BitsToSingle(0xFFC0_0001), -0f, float.NegativeInfinity),
            ["f16"] = TensorData.FromBytes(ElementType.Float16, [2], new byte[] { 0x01, 0x7D, 0x00, 0x80 }),
            ["bf16"] = TensorData.FromBytes(ElementType.BFloat16, [2], new byte[] { 0x81, 0x7F, 0xFF, 0xFF }),
            ["i64"] = TensorData.Vector(long.MinValue, long.MaxValue),
            ["i32"] = TensorData.Scalar(int.MinValue),
            ["i16"] = TensorData.Vector(short.MinValue),
            ["i8"] = TensorData.Vector(sbyte.MinValue, (sbyte)-1),
            ["u8"] = TensorData.Create<byte>([1, 1, 1], [255]),
            ["bool"] = TensorData.Vector(true, false),
            ["empty"] = TensorData.Create<float>([3, 0], []),
            ["a name/with \"quotes\", Ünïcode 🙂, \n and ../.."] = TensorData.Scalar(1f),
        };
        using var folder = new TemporaryFolder();
        SafetensorsFile.Write(folder.File("a"), tensors);
        var read = SafetensorsFile.Read(folder.File("a"));
        CollectionAssert.AreEquivalent(tensors.Keys, read.Keys.ToArray());
        foreach (var (name, tensor) in tensors)
        {
            Assert.AreEqual(tensor.ToString(), read[name].ToString());
            CollectionAssert.AreEqual(tensor.Bytes.ToArray(), read[name].Bytes.ToArray(), name);
        }
    }

    [TestMethod]
    public void The_order_in_memory_does_not_show_in_the_file()
    {
        using var folder = new TemporaryFolder();
        var (one, two) = (TensorData.Scalar(1f), TensorData.Scalar(2f));
        SafetensorsFile.Write(folder.File("a"), new Dictionary<string, TensorData> { ["x"] = one, ["y"] = two });
        SafetensorsFile.Write(folder.File("b"), new Dictionary<string, TensorData> { ["y"] = two, ["x"] = one });
        CollectionAssert.AreEqual(File.ReadAllBytes(folder.File("a")), File.ReadAllBytes(folder.File("b")));
    }

    [TestMethod]
    public void Metadata_and_spaces_at_the_end_of_the_header_are_allowed()
    {
        Assert.HasCount(2, Read(Bytes(Good.Insert(1, "\"__metadata__\":{\"format\":\"pt\"},"), Data)));
        Assert.HasCount(2, Read(Bytes(Good + "     ", Data)));
        Assert.IsEmpty(Read(Bytes("{}", [])));
    }

    [TestMethod]
    public void What_the_format_cannot_hold_is_not_written()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains("Complex64", Assert.ThrowsExactly<CheckpointException>(() =>
            SafetensorsFile.Write(folder.File("a"), new Dictionary<string, TensorData> { ["c"] = TensorData.FromBytes(ElementType.Complex64, [1], new byte[8]) })).Message);
        Assert.Contains("__metadata__", Assert.ThrowsExactly<CheckpointException>(() =>
            SafetensorsFile.Write(folder.File("a"), new Dictionary<string, TensorData> { ["__metadata__"] = TensorData.Scalar(1f) })).Message);
        Assert.IsEmpty(Directory.GetFileSystemEntries(folder.Path));
    }

    [TestMethod]
    [DataRow("\"F32\"", "\"F31\"", "dtype 'F31'")]
    [DataRow("\"F32\"", "\"C64\"", "dtype 'C64'")]
    [DataRow("\"F32\"", "32", "not the JSON")]
    [DataRow("[2]", "[3]", "F32[3], and 8 bytes")]
    [DataRow("[2]", "[]", "F32[], and 8 bytes")]
    [DataRow("[2]", "[-2]", "negative")]
    [DataRow("[2]", "[2.0]", "negative or too large")]
    [DataRow("[2]", "[4611686018427387904,4,4]", "8 bytes are set aside")]
    [DataRow("[2]", "[99999999999999999999]", "too large")]
    [DataRow("[2]", "\"2\"", "not the JSON")]
    [DataRow("[2]", "[[2]]", "not the JSON")]
    [DataRow("[0,8]", "[0,4]", "4 bytes are set aside")]
    [DataRow("[0,8]", "[8,0]", "no range")]
    [DataRow("[0,8]", "[0,8,8]", "no range")]
    [DataRow("[0,8]", "[0]", "no range")]
    [DataRow("[0,8]", "[1,9]", "leaving a gap")]
    [DataRow("[8,11]", "[7,10]", "overlapping")]
    [DataRow("[8,11]", "[9,12]", "leaving a gap")]
    [DataRow("[8,11]", "[0,3]", "overlapping")]
    [DataRow("[8,11]", "[9223372036854775804,9223372036854775807]", "leaving a gap")]
    [DataRow("[3]", "[2]", "3 bytes are set aside")]
    [DataRow("\"b\":", "\"a\":", "not the JSON")]
    [DataRow("\"b\":", "\"\\ud800\":", "not the JSON")]
    [DataRow(",\"data_offsets\":[0,8]", "", "needs dtype, shape and data_offsets")]
    [DataRow("\"shape\":[2]", "\"shape\":[2],\"more\":1", "nothing else")]
    [DataRow("\"shape\":[2]", "\"shape\":[2],\"shape\":[2]", "not the JSON")]
    [DataRow("{\"a\"", " {\"a\"", "begin with '{'")]
    [DataRow("{\"a\"", "[{\"a\"", "begin with '{'")]
    [DataRow("}}", "}", "not the JSON")]
    [DataRow("}}", "}} x", "not the JSON")]
    [DataRow("{\"a\"", "{\"__metadata__\":{\"x\":1},\"a\"", "more than strings")]
    [DataRow("{\"a\"", "{\"__metadata__\":[],\"a\"", "not the JSON")]
    public void A_header_that_lies_is_refused(string part, string instead, string because)
    {
        Assert.Contains(part, Good);
        var at = Good.LastIndexOf(part, StringComparison.Ordinal);
        Refuses(Bytes(Good[..at] + instead + Good[(at + part.Length)..], Data), because);
    }

    [TestMethod]
    public void Sizes_that_do_not_fit_the_file_are_refused_before_anything_is_allocated()
    {
        var file = Bytes(Good, Data);
        foreach (var (length, because) in new[] { (ulong.MaxValue, "18446744073709551615 bytes"), (100_000_001UL, "100000001 bytes"), ((ulong)file.Length, "header claims"), (0UL, "begin with '{'") })
        {
            byte[] changed = [.. file];
            BinaryPrimitives.WriteUInt64LittleEndian(changed, length);
            Refuses(changed, because);
        }

        Refuses([], "0 bytes");
        Refuses([1, 2, 3], "3 bytes");
        Refuses([.. file, 0], "12 follow");
        Refuses(Bytes("""{"a":{"dtype":"U8","shape":[2000000000],"data_offsets":[0,2000000000]}}""", []), "0 follow");
        Refuses(Bytes("""{"a":{"dtype":"U8","shape":[3000000000],"data_offsets":[0,3000000000]}}""", []), "no range of at most");
        Refuses(Bytes("""{"a":{"dtype":"U8","shape":[AXES],"data_offsets":[0,1]}}""".Replace("AXES", string.Join(',', Enumerable.Repeat(1, 65)), StringComparison.Ordinal), [0]), "65 axes");
    }

    [TestMethod]
    public void Every_truncation_is_refused()
    {
        var file = Bytes(Good, Data);
        for (var length = 0; length < file.Length; length++)
            Refuses(file[..length], "");
    }

    [TestMethod]
    public void No_changed_byte_gets_past_with_anything_but_a_clear_refusal()
    {
        var file = Bytes(Good, Data);
        for (var at = 0; at < file.Length; at++)
        {
            foreach (var flip in new byte[] { 1, 0x80, 0xFF })
            {
                byte[] changed = [.. file];
                changed[at] ^= flip;
                try
                {
                    Read(changed);
                }
                catch (CheckpointException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                }
            }
        }
    }

    [TestMethod]
    public void A_bool_of_another_value_a_missing_file_and_a_folder_are_refused()
    {
        Refuses(Bytes("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}""", [2]), "neither 0 nor 1");
        using var folder = new TemporaryFolder();
        foreach (var path in (string[])[folder.File("none"), folder.Path])
            Assert.Contains("cannot be read", Assert.ThrowsExactly<CheckpointException>(() => SafetensorsFile.Read(path)).Message);
    }

    private static byte[] Bytes(string header, byte[] data)
    {
        var bytes = Encoding.UTF8.GetBytes(header);
        return [(byte)bytes.Length, (byte)(bytes.Length >> 8), 0, 0, 0, 0, 0, 0, .. bytes, .. data];
    }

    private static IReadOnlyDictionary<string, TensorData> Read(byte[] file)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("a.safetensors"), file);
        return SafetensorsFile.Read(folder.File("a.safetensors"));
    }

    private static void Refuses(byte[] file, string because)
    {
        var message = Assert.ThrowsExactly<CheckpointException>(() => Read(file)).Message;
        Assert.Contains("a.safetensors", message);
        Assert.Contains(because, message);
        Assert.DoesNotContain('\n', message);
    }
}
