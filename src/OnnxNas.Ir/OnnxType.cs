namespace OnnxNas.Ir;

/// <summary>The type of a value.</summary>
public abstract record OnnxType
{
    /// <summary>The meaning of the value as the file gives it (for example <c>IMAGE</c>), or null.</summary>
    public string? Denotation { get; init; }

    internal Google.Protobuf.IMessage? Residue { get; init; }
}

/// <summary>A dense tensor. A null shape means unknown rank.</summary>
public sealed record TensorType(ElementType Element, Shape? Shape = null) : OnnxType
{
    /// <inheritdoc/>
    public override string ToString() => $"{Element}{Shape?.ToString() ?? "[...]"}";
}

/// <summary>A sparse tensor.</summary>
public sealed record SparseTensorType(ElementType Element, Shape? Shape = null) : OnnxType;

/// <summary>A sequence of values of one type; null where the file leaves it open.</summary>
public sealed record SequenceType(OnnxType? Element) : OnnxType;

/// <summary>A value that may be absent.</summary>
public sealed record OptionalType(OnnxType? Element) : OnnxType;

/// <summary>A map from keys of a primitive type to values.</summary>
public sealed record MapType(ElementType Key, OnnxType? Value) : OnnxType;

/// <summary>A type only its domain knows.</summary>
public sealed record OpaqueType(string? Domain, string? Name) : OnnxType;

/// <summary>A type the file declares without saying which (an empty <c>TypeProto</c>).</summary>
public sealed record UnspecifiedType : OnnxType;
