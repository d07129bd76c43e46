namespace OnnxNas.Ir.Serialization;

/// <summary>A file of external data, opened when a part of it is first wanted.</summary>
internal sealed class ExternalFile
{
    private readonly string path;
    private readonly FileFacts facts;
    private readonly Lazy<InputFile> file;

    public ExternalFile(string path, FileFacts facts)
    {
        (this.path, this.facts) = (path, facts);
        file = new(Open);
    }

    /// <summary>The file's size when it was checked.</summary>
    public long Length => facts.Size;

    /// <summary>A range of the file, which has been checked against <see cref="Length"/>.</summary>
    /// <exception cref="ModelFormatException">The file cannot be read, or has changed since it was checked.</exception>
    public ReadOnlyMemory<byte> Read(long offset, int length)
    {
        try
        {
            var bytes = new byte[length];
            if (length > 0)
                file.Value.Read(offset, bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw new ModelFormatException($"'{path}' cannot be read: {e.Message} Read the model again.", e);
        }
    }

    private InputFile Open()
    {
        var opened = InputFile.Open(path);
        return opened.Is(facts) ? opened : throw new IOException("It has changed since the model was read.");
    }
}
