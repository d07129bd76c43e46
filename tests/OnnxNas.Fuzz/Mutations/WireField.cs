using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>
/// A field as it stands on the wire, with the fields of the message it holds, if it holds one. What is written need not be what the schema wants:
/// that is what it is for.
/// </summary>
internal sealed class WireField
{
    private const int DeepestRead = 60;
    private const byte MoreFollows = 0x80;

    public required int Number { get; set; }

    public required WireFormat.WireType Type { get; set; }

    /// <summary>The value of a number.</summary>
    public ulong Value { get; set; }

    /// <summary>The bytes of a string, of raw bytes or of a packed list.</summary>
    public byte[] Bytes { get; set; } = [];

    /// <summary>The fields of a message; null where the field holds none.</summary>
    public List<WireField>? Children { get; private init; }

    /// <summary>Whether the schema calls it a string.</summary>
    public bool IsText { get; private init; }

    /// <summary>What is added to the length that is declared.</summary>
    public long LengthError { get; set; }

    /// <summary>Reads a message; null where the bytes are none.</summary>
    public static List<WireField>? Read(byte[] bytes, MessageDescriptor message)
    {
        try
        {
            return Read(bytes, message, 0);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or FormatException)
        {
            return null;
        }
    }

    public static byte[] Write(IEnumerable<WireField> fields)
    {
        using var stream = new MemoryStream();
        foreach (var field in fields)
            field.Write(stream);
        return stream.ToArray();
    }

    /// <summary>This list of fields and those within, each with the place it stands at.</summary>
    public static IEnumerable<(List<WireField> List, int Index)> Walk(List<WireField> fields)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            yield return (fields, i);
            if (fields[i].Children is { } children)
            {
                foreach (var place in Walk(children))
                    yield return place;
            }
        }
    }

    /// <summary>The same field over again.</summary>
    public WireField Copy() => new()
    {
        Number = Number,
        Type = Type,
        Value = Value,
        Bytes = Bytes,
        IsText = IsText,
        LengthError = LengthError,
        Children = Children?.ConvertAll(child => child.Copy()),
    };

    private static List<WireField> Read(byte[] bytes, MessageDescriptor? message, int depth)
    {
        var input = new CodedInputStream(bytes);
        var fields = new List<WireField>();
        while (input.ReadTag() is var tag && tag != 0)
        {
            var (number, type) = (WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag));
            fields.Add(type switch
            {
                WireFormat.WireType.Varint => new() { Number = number, Type = type, Value = input.ReadUInt64() },
                WireFormat.WireType.Fixed64 => new() { Number = number, Type = type, Value = input.ReadFixed64() },
                WireFormat.WireType.Fixed32 => new() { Number = number, Type = type, Value = input.ReadFixed32() },
                WireFormat.WireType.LengthDelimited => ReadBytes(input.ReadBytes().ToByteArray(), number, message?.FindFieldByNumber(number), depth),
                _ => throw new FormatException("Groups are not read."),
            });
        }

        return fields;
    }

    private static WireField ReadBytes(byte[] bytes, int number, FieldDescriptor? field, int depth) => new()
    {
        Number = number,
        Type = WireFormat.WireType.LengthDelimited,
        Bytes = bytes,
        IsText = field?.FieldType == FieldType.String,
        Children = field?.FieldType == FieldType.Message && depth < DeepestRead ? Read(bytes, field.MessageType, depth + 1) : null,
    };

    private void Write(MemoryStream output)
    {
        WriteNumber(output, WireFormat.MakeTag(Number, Type));
        switch (Type)
        {
            case WireFormat.WireType.Varint:
                WriteNumber(output, Value);
                break;
            case WireFormat.WireType.Fixed64:
                output.Write(BitConverter.GetBytes(Value));
                break;
            case WireFormat.WireType.Fixed32:
                output.Write(BitConverter.GetBytes((uint)Value));
                break;
            case WireFormat.WireType.LengthDelimited:
                var payload = Children is null ? Bytes : Write(Children);
                WriteNumber(output, (ulong)(payload.Length + LengthError));
                output.Write(payload);
                break;
        }
    }

    private static void WriteNumber(MemoryStream output, ulong value)
    {
        for (; value >= MoreFollows; value >>= 7)
            output.WriteByte((byte)(value | MoreFollows));
        output.WriteByte((byte)value);
    }
}
