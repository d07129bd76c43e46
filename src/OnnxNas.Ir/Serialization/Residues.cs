using Google.Protobuf;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// A residue is the message an object was read from, less what other objects stand for. It is kept only where the
/// writer, given the object alone, would spell something differently; then every field that still means what the
/// object says is written as the file had it, absent fields included.
/// </summary>
internal static class Residues
{
    /// <summary><paramref name="read"/>, or null where the writer makes the same from the object alone.</summary>
    public static T? Of<T>(T read, T written) where T : class, IMessage<T> => Same(read, written) ? null : read;

    /// <summary>Whether two messages are equal in every field and its presence. (Equals compares an absent field and an explicit default as equal.)</summary>
    public static bool Same(IMessage a, IMessage b)
    {
        var size = a.CalculateSize();
        return size == b.CalculateSize() && (size == 0 || a.ToByteArray().AsSpan().SequenceEqual(b.ToByteArray()));
    }

    /// <summary>A message to fill in: a copy of the residue, or an empty one.</summary>
    public static T Start<T>(IMessage? residue) where T : class, IMessage<T>, new() => residue is T kept ? kept.Clone() : new T();

    /// <summary>Sets an optional string, or clears it where there is none.</summary>
    public static void Set(string? text, Action<string> set, Action clear)
    {
        if (text is null)
            clear();
        else
            set(text);
    }
}
