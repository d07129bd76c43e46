using System.Buffers.Binary;
using Google.Protobuf;
using Google.Protobuf.Collections;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Constants: extreme elements, other dims and types, payloads that do not fit or lie elsewhere.</summary>
internal static class ConstantMutations
{
    private const string Kind = "constants";
    private const int Int64Bytes = 8;

    private static readonly string[] ExternalKeys = ["location", "offset", "length", "checksum", "x"];

    public static IReadOnlyList<Mutation> All { get; } =
    [
        On("extreme integers", IsInt64, (tensor, random) => SetInt64(tensor, random, all: false)),
        On("all integers extreme", IsInt64, (tensor, random) => SetInt64(tensor, random, all: true)),
        On("no integers", IsInt64, (tensor, _) =>
        {
            tensor.Dims.Clear();
            tensor.Dims.Add(0);
            tensor.RawData = ByteString.Empty;
        }),
        On("extreme number", t => t is { DataType: (int)ElementType.Float32, RawData.Length: >= sizeof(float) }, (tensor, random) =>
        {
            var bytes = tensor.RawData.ToByteArray();
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(random.NextInt(bytes.Length / sizeof(float)) * sizeof(float)), Extremes.Float(random));
            tensor.RawData = ByteString.CopyFrom(bytes);
        }),
        On("all bytes the same", t => t.HasRawData, (tensor, random) => tensor.RawData = ByteString.CopyFrom([.. Enumerable.Repeat((byte)random.NextInt(256), tensor.RawData.Length)])),
        On("extreme extent", t => t.Dims.Count > 0, (tensor, random) => tensor.Dims[random.NextInt(tensor.Dims.Count)] = Extremes.Integer(random)),
        On("extents in another order", t => t.Dims.Count > 1, (tensor, random) => tensor.Dims.Insert(random.NextInt(tensor.Dims.Count), Take(tensor.Dims))),
        On("one axis more", _ => true, (tensor, random) => tensor.Dims.Insert(random.NextInt(tensor.Dims.Count + 1), 1)),
        On("one axis in place of all", t => t.Dims.Count > 1, (tensor, _) =>
        {
            var count = tensor.Dims.Aggregate(1L, (a, b) => unchecked(a * b));
            tensor.Dims.Clear();
            tensor.Dims.Add(count);
        }),
        On("one axis fewer", t => t.Dims.Count > 0, (tensor, random) => tensor.Dims.RemoveAt(random.NextInt(tensor.Dims.Count))),
        On("the first elements only", t => t is { HasRawData: true, Dims: [> 1 and <= int.MaxValue, ..] } && t.RawData.Length % t.Dims[0] == 0, (tensor, random) =>
        {
            var (row, kept) = ((int)(tensor.RawData.Length / tensor.Dims[0]), random.NextInt((int)tensor.Dims[0]));
            (tensor.RawData, tensor.Dims[0]) = (ByteString.CopyFrom(tensor.RawData.Span[..(row * kept)]), kept);
        }),
        On("another type", _ => true, (tensor, random) => tensor.DataType = random.NextInt(28)),
        On("another type of equal width", t => t.HasRawData, (tensor, _) => tensor.DataType = (ElementType)tensor.DataType switch
        {
            ElementType.Float32 => (int)ElementType.Int32,
            ElementType.Int64 => (int)ElementType.Float64,
            ElementType.Float16 => (int)ElementType.BFloat16,
            _ => (int)ElementType.Bool,
        }),
        On("two payloads", _ => true, (tensor, random) => tensor.Int32Data.Add((int)Extremes.Integer(random))),
        On("payload elsewhere", _ => true, (tensor, random) =>
        {
            tensor.ClearRawData();
            tensor.DataLocation = TensorProto.Types.DataLocation.External;
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = random.NextInt(2) == 0 ? "model.onnx" : Extremes.Text(random) });
        }),
        On("another place of the payload", t => t.ExternalData.Count > 0, (tensor, random) => random.Pick(tensor.ExternalData).Value =
            random.NextInt(2) == 0 ? Extremes.Text(random) : Extremes.Integer(random).ToString(System.Globalization.CultureInfo.InvariantCulture)),
        On("another key of the place", t => t.ExternalData.Count > 0, (tensor, random) => random.Pick(tensor.ExternalData).Key = random.Pick(ExternalKeys)),
        On("strange name", _ => true, (tensor, random) => tensor.Name = Extremes.Text(random)),
        ModelParts.Edit(Kind, "constants exchanged", (model, random) =>
        {
            var tensors = ModelParts.Tensors(model).ToList();
            if (tensors.Count < 2)
                return false;
            var (a, b) = (random.Pick(tensors), random.Pick(tensors));
            (a.Name, b.Name) = (b.Name, a.Name);
            return true;
        }),
        ModelParts.Edit(Kind, "sparse in place of dense", ModelParts.Graphs, (graph, _, random) =>
        {
            if (graph.Initializer.Count == 0)
                return;
            var tensor = random.Pick(graph.Initializer);
            var sparse = new SparseTensorProto { Values = tensor, Indices = new() { DataType = (int)ElementType.Int64 } };
            sparse.Dims.AddRange(tensor.Dims);
            graph.Initializer.Remove(tensor);
            graph.SparseInitializer.Add(sparse);
        }),
    ];

    private static bool IsInt64(TensorProto tensor) => tensor is { DataType: (int)ElementType.Int64, RawData.Length: >= Int64Bytes };

    private static void SetInt64(TensorProto tensor, SeededRandom random, bool all)
    {
        var (bytes, number) = (tensor.RawData.ToByteArray(), Extremes.Integer(random));
        var chosen = random.NextInt(bytes.Length / Int64Bytes);
        for (var i = 0; i < bytes.Length / Int64Bytes; i++)
        {
            if (all || i == chosen)
                BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * Int64Bytes), number);
        }

        tensor.RawData = ByteString.CopyFrom(bytes);
    }

    private static long Take(RepeatedField<long> list)
    {
        var last = list[^1];
        list.RemoveAt(list.Count - 1);
        return last;
    }

    private static Mutation On(string name, Func<TensorProto, bool> fits, Action<TensorProto, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => ModelParts.Tensors(model).Where(fits), (tensor, _, random) => change(tensor, random));
}
