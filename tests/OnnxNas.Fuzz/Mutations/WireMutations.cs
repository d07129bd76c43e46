using System.Text;
using Google.Protobuf;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Fields of the protobuf message, whatever they mean: numbers, lengths, strings, order, nesting.</summary>
internal static class WireMutations
{
    private const string Kind = "fields";
    private const int LargestFile = 4 << 20;

    public static IReadOnlyList<Mutation> All { get; } =
    [
        On("extreme number", f => f.Type == WireFormat.WireType.Varint, (list, i, random) => list[i].Value = (ulong)Extremes.Integer(random)),
        On("extreme bits", f => f.Type is WireFormat.WireType.Fixed32 or WireFormat.WireType.Fixed64, (list, i, random) => list[i].Value = BitConverter.SingleToUInt32Bits(Extremes.Float(random))),
        On("drop", _ => true, (list, i, _) => list.RemoveAt(i)),
        On("double", _ => true, (list, i, random) => list.Insert(random.NextInt(list.Count + 1), list[i].Copy())),
        On("repeat often", f => f.Children is null, (list, i, random) => list.InsertRange(i, Enumerable.Repeat(list[i], 1 << random.NextInt(13)))),
        On("reorder", _ => true, (list, _, random) => random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(list))),
        On("other number of field", _ => true, (list, i, random) => list[i].Number = 1 + random.NextInt(30)),
        On("wrong length", IsBytes, (list, i, random) => list[i].LengthError = random.NextInt(3) == 0 ? Extremes.Integer(random) : random.NextInt(9) - 4),
        On("other wire type", _ => true, (list, i, random) => list[i].Type = (WireFormat.WireType)random.NextInt(6)),
        On("strange text", f => f.IsText, (list, i, random) => list[i].Bytes = Encoding.UTF8.GetBytes(Extremes.Text(random))),
        On("bytes that are no text", f => f.IsText, (list, i, random) => list[i].Bytes = [.. list[i].Bytes, 0xC3, 0x28, (byte)random.NextInt(256)]),
        On("empty", IsBytes, (list, i, _) => list[i].Bytes = []),
        On("payload cut or grown", f => IsBytes(f) && !f.IsText, (list, i, random) =>
        {
            var bytes = list[i].Bytes;
            list[i].Bytes = random.NextInt(2) == 0 ? bytes[..random.NextInt(bytes.Length + 1)] : [.. bytes, .. new byte[1 + random.NextInt(16)]];
        }),
        Two("exchange", (a, b) => (a.List[a.Index], b.List[b.Index]) = (b.List[b.Index], a.List[a.Index])),
        Two("copy into another message", (a, b) => b.List.Insert(b.Index, a.List[a.Index].Copy())),
        Two("take the text of another", (a, b) => a.List[a.Index].Bytes = b.List[b.Index].Bytes),
        Fields("nest deeply", (all, random) =>
        {
            var nested = all.Where(p => p.List[p.Index].Children is { Count: > 0 }).ToList();
            if (nested.Count == 0)
                return false;
            var (list, index) = random.Pick(nested);
            for (var depth = 1 << random.NextInt(9); depth > 0; depth--)
            {
                var shell = new WireField { Number = list[index].Number, Type = WireFormat.WireType.LengthDelimited, Bytes = WireField.Write([list[index]]) };
                if (shell.Bytes.Length > LargestFile)
                    break;
                list[index] = shell;
            }

            return true;
        }),
    ];

    private static bool IsBytes(WireField field) => field.Type == WireFormat.WireType.LengthDelimited;

    private static Mutation On(string name, Func<WireField, bool> fits, Action<List<WireField>, int, SeededRandom> change) => Fields(name, (all, random) =>
    {
        var places = all.Where(p => fits(p.List[p.Index])).ToList();
        if (places.Count == 0)
            return false;
        var (list, index) = random.Pick(places);
        change(list, index, random);
        return true;
    });

    private static Mutation Two(string name, Action<(List<WireField> List, int Index), (List<WireField> List, int Index)> change) => Fields(name, (all, random) =>
    {
        change(random.Pick(all), random.Pick(all));
        return true;
    });

    private static Mutation Fields(string name, Func<List<(List<WireField> List, int Index)>, SeededRandom, bool> change) => new(Kind, name, (bytes, random) =>
    {
        if (WireField.Read(bytes, ModelProto.Descriptor) is not { Count: > 0 } fields || !change([.. WireField.Walk(fields)], random))
            return null;
        var changed = WireField.Write(fields);
        return changed.Length <= LargestFile ? changed : null;
    });
}
