using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Reads constants, and checks that dims, element type and payload agree before anything is allocated.</summary>
internal sealed class TensorReader(ExternalFolder? folder)
{
    /// <summary>
    /// Reads a tensor; the message is used up. The name is dropped where the owner keeps it (<paramref name="named"/>).
    /// Attribute tensors may lie in a file of their own, as in ONNX's own loader; parts of sparse tensors may not.
    /// </summary>
    public TensorData Read(TensorProto proto, string where, bool named, bool mayBeExternal = true)
    {
        var type = (ElementType)proto.DataType;
        if (type != ElementType.String && type.BitWidth() == 0)
            throw new ModelFormatException($"{where} has element type {proto.DataType}, which is not known. The file is damaged or newer than this tool.");
        var dims = proto.Dims.ToArray();
        var (elements, bytes) = Sizes(type, dims, where);
        var external = proto.DataLocation == TensorProto.Types.DataLocation.External;
        if (external && !mayBeExternal)
            throw new ModelFormatException($"{where} is part of a sparse tensor and points to external data. Store its payload in the model.");
        CheckOnePayload(proto, type, external, where);
        var tensor = external ? External(proto, type, dims, bytes, where) : Inline(proto, type, dims, elements, bytes, where);
        proto.Dims.Clear();
        proto.ClearDataType();
        proto.ClearRawData();
        if (named)
            proto.ClearName();
        if (tensor.Storage == TensorStorage.Typed)
            ClearCanonicalPayload(proto, tensor);
        return proto.CalculateSize() == 0 ? tensor : tensor.WithResidue(proto, external ? folder?.Path : null);
    }

    /// <summary>Reads a sparse tensor; the message is used up.</summary>
    public SparseTensorData ReadSparse(SparseTensorProto proto, string where)
    {
        var name = proto.Values is { HasName: true } values ? values.Name : null;
        var dims = proto.Dims.ToArray();
        RequireNoNegative(dims, where);
        var sparse = new SparseTensorData(
            proto.Values is null ? null : Read(proto.Values, $"{where}, values", named: true, mayBeExternal: false),
            proto.Indices is null ? null : Read(proto.Indices, $"{where}, indices", named: false, mayBeExternal: false),
            dims);
        (proto.Values, proto.Indices) = (null, null);
        proto.Dims.Clear();
        return sparse with { Name = name, Residue = proto.CalculateSize() == 0 ? null : proto };
    }

    private static (long Elements, long Bytes) Sizes(ElementType type, long[] dims, string where)
    {
        RequireNoNegative(dims, where);
        var elements = dims.Aggregate((Int128)1, (product, dim) => product > long.MaxValue ? product : product * dim);
        if (dims.Contains(0))
            elements = 0;
        var bytes = (elements * type.BitWidth() + 7) / 8;
        if (elements > long.MaxValue || bytes > Array.MaxLength)
            throw new ModelFormatException($"{where} has dims [{string.Join(',', dims)}], more than the 2 GiB a tensor may take here. Split it, or check the dims.");
        return ((long)elements, (long)bytes);
    }

    private static void RequireNoNegative(long[] dims, string where)
    {
        if (dims.Any(d => d < 0))
            throw new ModelFormatException($"{where} has dims [{string.Join(',', dims)}], one of which is negative.");
    }

    private static void CheckOnePayload(TensorProto proto, ElementType type, bool external, string where)
    {
        if (type == ElementType.String && (external || proto.HasRawData))
            throw new ModelFormatException($"{where} holds strings outside string_data, which ONNX forbids.");
        if (external && proto.HasRawData && !proto.RawData.IsEmpty)
            throw new ModelFormatException($"{where} has both raw_data and external data. Keep one.");
        foreach (var (field, count) in TypedPayload.Present(proto))
        {
            if (external || proto.HasRawData || field != TypedPayload.FieldOf(type))
                throw new ModelFormatException($"{where} is {type} and has {count} entries in {field} as well, where one payload is allowed.");
        }
    }

    private static TensorData Inline(TensorProto proto, ElementType type, long[] dims, long elements, long bytes, string where)
    {
        if (proto.HasRawData)
        {
            return proto.RawData.Length == bytes
                ? TensorData.FromBytes(type, dims, proto.RawData.Memory)
                : throw new ModelFormatException($"{where} is {type}[{string.Join(',', dims)}], which takes {bytes} bytes, but raw_data has {proto.RawData.Length}. The file is damaged.");
        }

        var expected = TypedPayload.EntryCount(type, elements);
        var (field, got) = TypedPayload.Present(proto).FirstOrDefault((TypedPayload.FieldOf(type), 0));
        if (got != expected)
            throw new ModelFormatException($"{where} is {type}[{string.Join(',', dims)}], which takes {expected} entries, but {field} has {got}. The file is damaged.");
        return type == ElementType.String
            ? TensorData.FromStrings(dims, [.. proto.StringData.Select(s => s.Memory)])
            : TensorData.FromBytes(type, dims, TypedPayload.Decode(proto, type, bytes, where), TensorStorage.Typed);
    }

    private TensorData External(TensorProto proto, ElementType type, long[] dims, long bytes, string where)
    {
        if (folder is null)
            throw new ModelFormatException($"{where} lies in an external file, but the model was read without a folder. Read it from its file.");
        return TensorData.Deferred(type, dims, folder.Locate(ExternalReference.Parse(proto, where), bytes, where));
    }

    // The typed field goes unless it spells the payload in another way than the writer would.
    private static void ClearCanonicalPayload(TensorProto proto, TensorData tensor)
    {
        var canonical = new TensorProto();
        TypedPayload.Encode(tensor, canonical);
        if (!proto.Int32Data.Equals(canonical.Int32Data))
            return;
        proto.FloatData.Clear();
        proto.Int32Data.Clear();
        proto.StringData.Clear();
        proto.Int64Data.Clear();
        proto.DoubleData.Clear();
        proto.Uint64Data.Clear();
    }
}
