using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Types of values: <c>TypeProto</c> and <see cref="OnnxType"/>.</summary>
internal static class TypeMapping
{
    public static OnnxType Read(TypeProto proto)
    {
        var type = Model(proto);
        return Residues.Same(proto, Plain(type)) ? type : type with { Residue = proto };
    }

    /// <summary>The message of a type, as the file spelled it where it still says the same.</summary>
    public static TypeProto Write(OnnxType type)
    {
        var plain = Plain(type);
        return type.Residue is TypeProto residue && Residues.Same(Plain(Model(residue)), plain) ? residue.Clone() : plain;
    }

    /// <summary>Whether two types are written alike, unusual spellings aside. (Unlike equality, an unknown extent is the same as another.)</summary>
    public static bool Same(OnnxType? a, OnnxType? b) =>
        a is null || b is null ? a is null && b is null : Residues.Same(Plain(a), Plain(b));

    private static OnnxType Model(TypeProto proto)
    {
        OnnxType type = proto.ValueCase switch
        {
            TypeProto.ValueOneofCase.TensorType => new TensorType((ElementType)proto.TensorType.ElemType, Model(proto.TensorType.Shape)),
            TypeProto.ValueOneofCase.SparseTensorType => new SparseTensorType((ElementType)proto.SparseTensorType.ElemType, Model(proto.SparseTensorType.Shape)),
            TypeProto.ValueOneofCase.SequenceType => new SequenceType(Inner(proto.SequenceType.ElemType)),
            TypeProto.ValueOneofCase.OptionalType => new OptionalType(Inner(proto.OptionalType.ElemType)),
            TypeProto.ValueOneofCase.MapType => new MapType((ElementType)proto.MapType.KeyType, Inner(proto.MapType.ValueType)),
            TypeProto.ValueOneofCase.OpaqueType => new OpaqueType(
                proto.OpaqueType.HasDomain ? proto.OpaqueType.Domain : null,
                proto.OpaqueType.HasName ? proto.OpaqueType.Name : null),
            _ => new UnspecifiedType(),
        };
        return proto.HasDenotation ? type with { Denotation = proto.Denotation } : type;
    }

    private static OnnxType? Inner(TypeProto? proto) => proto is null ? null : Model(proto);

    private static Shape? Model(TensorShapeProto? proto) => proto is null ? null : new Shape(
        proto.Dim.Select(Model),
        proto.Dim.Any(d => d.HasDenotation) ? [.. proto.Dim.Select(d => d.HasDenotation ? d.Denotation : null)] : null);

    // Some exporters write -1 or an empty name for an extent they do not know.
    private static Dim Model(TensorShapeProto.Types.Dimension proto) => proto.ValueCase switch
    {
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimValue when proto.DimValue >= 0 => Dim.Known(proto.DimValue),
        TensorShapeProto.Types.Dimension.ValueOneofCase.DimParam when proto.DimParam.Length > 0 => Dim.Parse(proto.DimParam),
        _ => Dim.Unknown(),
    };

    private static TypeProto Plain(OnnxType type)
    {
        var proto = type switch
        {
            TensorType tensor => new TypeProto { TensorType = new() { Shape = Plain(tensor.Shape) } },
            SparseTensorType sparse => new TypeProto { SparseTensorType = new() { Shape = Plain(sparse.Shape) } },
            SequenceType sequence => new TypeProto { SequenceType = new() { ElemType = Inner(sequence.Element) } },
            OptionalType optional => new TypeProto { OptionalType = new() { ElemType = Inner(optional.Element) } },
            MapType map => new TypeProto { MapType = new() { ValueType = Inner(map.Value) } },
            OpaqueType => new TypeProto { OpaqueType = new() },
            _ => new TypeProto(),
        };
        if (type is TensorType { Element: not ElementType.Undefined } t)
            proto.TensorType.ElemType = (int)t.Element;
        if (type is SparseTensorType { Element: not ElementType.Undefined } s)
            proto.SparseTensorType.ElemType = (int)s.Element;
        if (type is MapType { Key: not ElementType.Undefined } m)
            proto.MapType.KeyType = (int)m.Key;
        if (type is OpaqueType { Domain: { } domain })
            proto.OpaqueType.Domain = domain;
        if (type is OpaqueType { Name: { } name })
            proto.OpaqueType.Name = name;
        if (type.Denotation is not null)
            proto.Denotation = type.Denotation;
        return proto;
    }

    private static TypeProto? Inner(OnnxType? type) => type is null ? null : Plain(type);

    private static TensorShapeProto? Plain(Shape? shape)
    {
        if (shape is null)
            return null;
        var proto = new TensorShapeProto();
        for (var i = 0; i < shape.Rank; i++)
        {
            var dim = new TensorShapeProto.Types.Dimension();
            if (shape[i].ValueOrNull is { } value)
                dim.DimValue = value;
            else if (!shape[i].IsUnknown)
                dim.DimParam = shape[i].ToString();
            if (shape.Denotations is { } denotations && i < denotations.Count && denotations[i] is { } denotation)
                dim.Denotation = denotation;
            proto.Dim.Add(dim);
        }

        return proto;
    }
}
