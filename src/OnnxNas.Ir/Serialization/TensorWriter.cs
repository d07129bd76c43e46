using System.Globalization;
using Google.Protobuf;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Writes constants where they stood: raw, typed or in a file of their own.</summary>
internal sealed class TensorWriter(ExternalLayout? layout, Func<TensorData, bool>? embeds = null)
{
    /// <summary>The message of a tensor. A null name leaves the one the file had.</summary>
    public TensorProto Write(TensorData tensor, string? name)
    {
        var proto = Residues.Start<TensorProto>(tensor.Residue);
        proto.Dims.AddRange(tensor.Dims);
        proto.DataType = (int)tensor.Type;
        if (name is not null)
            proto.Name = name;
        if (layout?.Find(tensor) is { } place)
            Refer(proto, place);
        else if (tensor.Storage == TensorStorage.Typed)
            WriteTyped(tensor, proto);
        else if (proto.DataLocation != TensorProto.Types.DataLocation.External)
            proto.RawData = UnsafeByteOperations.UnsafeWrap(tensor.Bytes);
        else if (embeds?.Invoke(tensor) == true)
            Embed(tensor, proto);
        return proto;
    }

    /// <summary>The message of a sparse tensor.</summary>
    public SparseTensorProto Write(SparseTensorData sparse)
    {
        var proto = Residues.Start<SparseTensorProto>(sparse.Residue);
        proto.Values = sparse.Values is null ? null : Write(sparse.Values, sparse.Name);
        proto.Indices = sparse.Indices is null ? null : Write(sparse.Indices, null);
        proto.Dims.AddRange(sparse.Dims);
        return proto;
    }

    private static void Embed(TensorData tensor, TensorProto proto)
    {
        proto.ExternalData.Clear();
        proto.ClearDataLocation();
        proto.Int32Data.Clear();
        proto.RawData = UnsafeByteOperations.UnsafeWrap(tensor.Bytes);
    }

    private static void WriteTyped(TensorData tensor, TensorProto proto)
    {
        if (!TypedPayload.Present(proto).Any())
            TypedPayload.Encode(tensor, proto);
    }

    private static void Refer(TensorProto proto, ExternalPlace place)
    {
        proto.Int32Data.Clear();
        proto.ExternalData.Clear();
        proto.DataLocation = TensorProto.Types.DataLocation.External;
        Add("location", place.Location);
        Add("offset", place.Offset.ToString(CultureInfo.InvariantCulture));
        Add("length", place.Length.ToString(CultureInfo.InvariantCulture));

        void Add(string key, string value) => proto.ExternalData.Add(new StringStringEntryProto { Key = key, Value = value });
    }
}
