using System.Text;

namespace OnnxNas.Cli;

/// <summary>Standard output as a command sees it: what cannot be written is an error that says so.</summary>
internal sealed class ReportWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException or NotSupportedException)
        {
            throw new ReportException($"The report cannot be written to standard output: {e.Message}", e);
        }
    }
}

/// <summary>What a command found or did could not be reported. Files that it wrote are whole.</summary>
internal sealed class ReportException(string message, Exception inner) : IOException(message, inner);
