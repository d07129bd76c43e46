using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// Maps that the file spells as lists. Where the list already in the message still reads as the map it is left alone,
/// so duplicates and unusual spellings survive.
/// </summary>
internal static class Entries
{
    /// <summary>The domain as the IR names it: "" for both spellings of ai.onnx.</summary>
    public static string Domain(string spelled) => spelled == "ai.onnx" ? "" : spelled;

    public static void Read(RepeatedField<StringStringEntryProto> list, IDictionary<string, string> map)
    {
        foreach (var entry in list)
            map[entry.Key] = entry.Value;
    }

    public static void Write(IDictionary<string, string> map, RepeatedField<StringStringEntryProto> list)
    {
        var spelled = new OrderedDictionary<string, string>();
        Read(list, spelled);
        if (spelled.SequenceEqual(map))
            return;
        list.Clear();
        list.AddRange(map.Select(entry => new StringStringEntryProto { Key = entry.Key, Value = entry.Value }));
    }

    public static void Read(RepeatedField<OperatorSetIdProto> list, IDictionary<string, long> map, string where)
    {
        foreach (var import in list)
        {
            var domain = Domain(import.Domain);
            RequireVersion(domain, import.Version, where);
            if (map.TryGetValue(domain, out var version) && version != import.Version)
                throw new ModelFormatException($"{where} imports operator set '{Show(domain)}' in versions {version} and {import.Version}. Keep one.");
            map[domain] = import.Version;
        }
    }

    public static void Write(IDictionary<string, long> map, RepeatedField<OperatorSetIdProto> list)
    {
        var spelled = new OrderedDictionary<string, long>();
        foreach (var import in list)
            spelled[Domain(import.Domain)] = import.Version;
        if (spelled.SequenceEqual(map))
            return;
        var old = list.ToArray();
        list.Clear();
        list.AddRange(map.Select(entry =>
            old.FirstOrDefault(o => Domain(o.Domain) == entry.Key && o.Version == entry.Value)
            ?? new OperatorSetIdProto { Domain = entry.Key, Version = entry.Value }));
    }

    /// <summary>Requires that each operator set has a version that can be.</summary>
    public static void RequireVersions(IDictionary<string, long> map, string where)
    {
        foreach (var (domain, version) in map)
            RequireVersion(domain, version, where);
    }

    /// <summary>A domain for the eye of the user.</summary>
    public static string Show(string domain) => domain.Length == 0 ? "ai.onnx" : domain;

    // Versions are computed with in 32 bits, and 2^32 + 17 must not be taken for 17.
    private static void RequireVersion(string domain, long version, string where)
    {
        if (version is < 1 or > int.MaxValue)
            throw new ModelFormatException($"{where} imports operator set '{Show(domain)}' in version {version}. Versions lie in [1,{int.MaxValue}]; name the one that the operators were written for.");
    }
}
