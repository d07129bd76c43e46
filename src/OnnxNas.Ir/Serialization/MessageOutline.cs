namespace OnnxNas.Ir.Serialization;

/// <summary>
/// Whether a file can be one protobuf message at all: its fields, without what is in them, must end where the file does. Only the heads of fields are read, so a large file
/// that is something else is refused before it is loaded.
/// </summary>
internal static class MessageOutline
{
    // Below this a file is parsed as fast as it is walked.
    private const int Small = 1 << 20;
    private const int LongestHead = 20;

    /// <summary>Whether the file's fields end where it does, and so do those of its largest field, where <paramref name="inner"/> is that field's number.</summary>
    public static bool Fits(InputFile file, int inner) => file.Length < Small || Walk(file, 0, file.Length, inner);

    private static bool Walk(InputFile file, long start, long end, int inner)
    {
        var buffer = new byte[Small];
        long from = 0;
        var held = 0;
        for (var at = start; at < end;)
        {
            if (at < from || at + LongestHead > from + held && from + held < end)
            {
                (from, held) = (at, (int)Math.Min(buffer.Length, end - at));
                file.Read(from, buffer.AsSpan(0, held));
            }

            var available = (int)Math.Min(LongestHead, from + held - at);
            var head = buffer.AsSpan((int)(at - from), available);
            if (!TryRead(ref head, out var tag) || tag >> 3 == 0 || !TrySkip(ref head, (int)(tag & 7), out var size))
                return false;
            var body = at + available - head.Length;
            if (size > (ulong)(end - body))
                return false;
            if (inner != 0 && (tag & 7) == 2 && tag >> 3 == (ulong)inner && size >= Small && !Walk(file, body, body + (long)size, 0))
                return false;
            at = body + (long)size;
        }

        return true;
    }

    private static bool TrySkip(ref Span<byte> head, int wireType, out ulong size)
    {
        size = wireType switch { 1 => 8, 5 => 4, _ => 0 };
        return wireType switch
        {
            0 => TryRead(ref head, out _),
            1 or 5 => true,
            2 => TryRead(ref head, out size),
            _ => false,
        };
    }

    private static bool TryRead(ref Span<byte> head, out ulong number)
    {
        number = 0;
        for (var i = 0; i < head.Length && i < 10; i++)
        {
            number |= (ulong)(head[i] & 0x7F) << (7 * i);
            if (head[i] < 0x80)
            {
                head = head[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
