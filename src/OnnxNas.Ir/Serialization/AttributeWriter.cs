using Google.Protobuf;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Writes attributes of every kind.</summary>
internal sealed class AttributeWriter(TensorWriter tensors, Func<Graph, GraphProto> writeGraph)
{
    public AttributeProto Write(Attr attr)
    {
        var proto = Shell(attr);
        if (attr.RefAttrName is not null)
            return proto;
        switch (attr.Kind)
        {
            case AttrKind.Tensor: proto.T = tensors.Write(attr.AsTensor(), null); break;
            case AttrKind.Graph: proto.G = writeGraph(attr.AsGraph()); break;
            case AttrKind.SparseTensor: proto.SparseTensor = tensors.Write(attr.AsSparseTensor()); break;
            case AttrKind.Type: proto.Tp = TypeMapping.Write(attr.AsType()); break;
            case AttrKind.Floats: proto.Floats.AddRange(attr.AsFloats()); break;
            case AttrKind.Ints: proto.Ints.AddRange(attr.AsInts()); break;
            case AttrKind.Strings: proto.Strings.AddRange(attr.AsByteStrings().Select(s => UnsafeByteOperations.UnsafeWrap(s))); break;
            case AttrKind.Tensors: proto.Tensors.AddRange(attr.AsTensors().Select(t => tensors.Write(t, null))); break;
            case AttrKind.Graphs: proto.Graphs.AddRange(attr.AsGraphs().Select(writeGraph)); break;
            case AttrKind.SparseTensors: proto.SparseTensors.AddRange(attr.AsSparseTensors().Select(tensors.Write)); break;
            case AttrKind.Types: proto.TypeProtos.AddRange(attr.AsTypes().Select(TypeMapping.Write)); break;
        }

        return proto;
    }

    /// <summary>The message without tensors, graphs, types and lists.</summary>
    public static AttributeProto Shell(Attr attr)
    {
        var proto = Residues.Start<AttributeProto>(attr.Residue);
        if (proto.Name != attr.Name)
            proto.Name = attr.Name;
        if (proto.RefAttrName != (attr.RefAttrName ?? ""))
            proto.RefAttrName = attr.RefAttrName;
        if ((int)proto.Type != (int)attr.Kind)
            proto.Type = (AttributeProto.Types.AttributeType)attr.Kind;
        if (attr.RefAttrName is not null)
            return proto;
        var spelled = attr.Residue is not null; // An absent number may then stand for 0.
        if (attr.Kind == AttrKind.Int && !(spelled && proto.I == attr.AsInt()))
            proto.I = attr.AsInt();
        if (attr.Kind == AttrKind.Float && !(spelled && BitConverter.SingleToInt32Bits(proto.F) == BitConverter.SingleToInt32Bits(attr.AsFloat())))
            proto.F = attr.AsFloat();
        if (attr.Kind == AttrKind.String && !(spelled && proto.S.Span.SequenceEqual(attr.AsBytes().Span)))
            proto.S = UnsafeByteOperations.UnsafeWrap(attr.AsBytes());
        return proto;
    }
}
