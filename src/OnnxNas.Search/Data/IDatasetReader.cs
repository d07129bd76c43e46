using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>A data format: how a file of named arrays is opened. What the names mean is <see cref="DatasetReader"/>'s matter.</summary>
public interface IDatasetReader
{
    /// <summary>File extensions in lower case, with the dot.</summary>
    IReadOnlyList<string> Extensions { get; }

    /// <summary>Opens a file that exists.</summary>
    /// <exception cref="DataException">The file is damaged or of another format.</exception>
    ArrayFile Open(string path);
}

/// <summary>An open file of named arrays. Arrays it gave out can be read until it is disposed.</summary>
public abstract class ArrayFile : IDisposable
{
    /// <summary>The names of the arrays, in the file's order.</summary>
    public abstract IReadOnlyCollection<string> Names { get; }

    /// <summary>Opens one of the <see cref="Names"/>.</summary>
    /// <exception cref="DataException">The array is damaged or of a type that cannot be used.</exception>
    public abstract SampleArray Open(string name);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);
}
