using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Reads attributes of every kind.</summary>
internal sealed class AttributeReader(TensorReader tensors, Func<GraphProto, string, Graph> readGraph)
{
    /// <summary>Reads an attribute; the message is used up.</summary>
    public Attr Read(AttributeProto proto, string owner)
    {
        if (proto.Name.Length == 0)
            throw new ModelFormatException($"{owner} has an attribute without a name.");
        var where = $"Attribute '{proto.Name}' of {owner}";
        var attr = proto.RefAttrName.Length > 0 ? Attr.Reference(proto.Name, (AttrKind)proto.Type, proto.RefAttrName) : ReadValue(proto, where);
        if (attr.RefAttrName is null)
            ClearChildren(proto, attr.Kind);
        return Residues.Of(proto, AttributeWriter.Shell(attr)) is { } residue ? attr.WithResidue(residue) : attr;
    }

    private Attr ReadValue(AttributeProto proto, string where)
    {
        var name = proto.Name;
        return (AttrKind)proto.Type switch
        {
            AttrKind.Float => Attr.Of(name, proto.F),
            AttrKind.Int => Attr.Of(name, proto.I),
            AttrKind.String => Attr.Of(name, proto.S.Memory),
            AttrKind.Tensor => Attr.Of(name, tensors.Read(Given(proto.T), where, named: false)),
            AttrKind.Graph => Attr.Of(name, readGraph(Given(proto.G), where)),
            AttrKind.SparseTensor => Attr.Of(name, tensors.ReadSparse(Given(proto.SparseTensor), where)),
            AttrKind.Type => Attr.Of(name, TypeMapping.Read(Given(proto.Tp))),
            AttrKind.Floats => Attr.Of(name, proto.Floats),
            AttrKind.Ints => Attr.Of(name, proto.Ints),
            AttrKind.Strings => Attr.Of(name, proto.Strings.Select(s => s.Memory)),
            AttrKind.Tensors => Attr.Of(name, proto.Tensors.Select(t => tensors.Read(t, where, named: false))),
            AttrKind.Graphs => Attr.Of(name, proto.Graphs.Select(g => readGraph(g, where))),
            AttrKind.SparseTensors => Attr.Of(name, proto.SparseTensors.Select(s => tensors.ReadSparse(s, where))),
            AttrKind.Types => Attr.Of(name, proto.TypeProtos.Select(TypeMapping.Read)),
            _ => throw new ModelFormatException($"{where} has type {(int)proto.Type}, which is not known. Every attribute must say its type."),
        };

        T Given<T>(T? value) where T : class =>
            value ?? throw new ModelFormatException($"{where} is of type {(AttrKind)proto.Type}, but holds none.");
    }

    private static void ClearChildren(AttributeProto proto, AttrKind kind)
    {
        switch (kind)
        {
            case AttrKind.Tensor: proto.T = null; break;
            case AttrKind.Graph: proto.G = null; break;
            case AttrKind.SparseTensor: proto.SparseTensor = null; break;
            case AttrKind.Type: proto.Tp = null; break;
            case AttrKind.Floats: proto.Floats.Clear(); break;
            case AttrKind.Ints: proto.Ints.Clear(); break;
            case AttrKind.Strings: proto.Strings.Clear(); break;
            case AttrKind.Tensors: proto.Tensors.Clear(); break;
            case AttrKind.Graphs: proto.Graphs.Clear(); break;
            case AttrKind.SparseTensors: proto.SparseTensors.Clear(); break;
            case AttrKind.Types: proto.TypeProtos.Clear(); break;
        }
    }
}
