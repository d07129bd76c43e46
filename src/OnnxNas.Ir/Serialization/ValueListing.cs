using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// What a file says of one value, in up to three places: among the inputs, the outputs and the value infos of its
/// graph. Where the places are not those the writer would choose, or say something else than it would, the value's
/// residue keeps them all (in a <c>GraphProto</c> of nothing else), and each is written back until the value is changed.
/// </summary>
internal static class ValueListing
{
    /// <summary>Gives a value what the listings say.</summary>
    public static void Apply(GraphProto listings, Value value)
    {
        var (type, doc, metadata) = Merge(listings);
        value.Type = type ?? value.Type;
        value.DocString = doc;
        Entries.Read(metadata, value.Metadata);
        if (!All(listings).All(info => Residues.Same(info, Write(value, null))))
            value.Residue = listings;
    }

    /// <summary>The message of a value, as <paramref name="spelled"/> has it wherever that still holds.</summary>
    public static ValueInfoProto Write(Value value, ValueInfoProto? spelled)
    {
        var proto = spelled?.Clone() ?? new ValueInfoProto();
        var (type, doc, metadata) = value.Residue is GraphProto listings ? Merge(listings) : (null, null, []);
        if (proto.Name != value.Name)
            proto.Name = value.Name;
        if (spelled is null || !TypeMapping.Same(value.Type, type ?? Default(value)))
            proto.Type = value.Type is null ? null : TypeMapping.Write(value.Type);
        if (spelled is null || value.DocString != doc)
            Residues.Set(value.DocString, text => proto.DocString = text, proto.ClearDocString);
        var before = new OrderedDictionary<string, string>();
        Entries.Read(metadata, before);
        if (spelled is null || !before.SequenceEqual(value.Metadata))
            Entries.Write(value.Metadata, proto.MetadataProps);
        return proto;
    }

    private static (OnnxType? Type, string? Doc, RepeatedField<StringStringEntryProto> Metadata) Merge(GraphProto listings) => (
        All(listings).FirstOrDefault(info => info.Type is not null)?.Type is { } type ? TypeMapping.Read(type) : null,
        All(listings).FirstOrDefault(info => info.HasDocString)?.DocString,
        All(listings).FirstOrDefault(info => info.MetadataProps.Count > 0)?.MetadataProps ?? []);

    private static IEnumerable<ValueInfoProto> All(GraphProto listings) => listings.Input.Concat(listings.Output).Concat(listings.ValueInfo);

    // An initializer has a type even where no listing gives one.
    private static TensorType? Default(Value value) =>
        value.Initializer is { } data ? new TensorType(data.Type, Shape.Of(data.Dims)) : null;
}
