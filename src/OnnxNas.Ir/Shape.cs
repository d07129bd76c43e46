using System.Collections;

namespace OnnxNas.Ir;

/// <summary>The extents of a tensor of known rank. An unknown rank is a null shape.</summary>
public sealed class Shape : IReadOnlyList<Dim>, IEquatable<Shape>
{
    private readonly Dim[] dims;

    /// <summary>A shape of these extents.</summary>
    public Shape(IEnumerable<Dim> dims, IReadOnlyList<string?>? denotations = null)
    {
        this.dims = [.. dims];
        Denotations = denotations;
    }

    /// <summary>A shape of these extents.</summary>
    public Shape(params Dim[] dims) : this((IEnumerable<Dim>)dims) { }

    /// <summary>A shape of these numbers.</summary>
    public static Shape Of(IEnumerable<long> dims) => new(dims.Select(Dim.Known));

    /// <summary>The shape of a scalar.</summary>
    public static Shape Scalar { get; } = new();

    /// <summary>The meaning of each extent as the file gives it, or null.</summary>
    public IReadOnlyList<string?>? Denotations { get; }

    /// <summary>Number of extents.</summary>
    public int Rank => dims.Length;

    /// <inheritdoc/>
    public int Count => dims.Length;

    /// <inheritdoc/>
    public Dim this[int index] => dims[index];

    /// <summary>Whether every extent is a number.</summary>
    public bool IsKnown => dims.All(d => d.IsKnown);

    /// <summary>The extents as numbers, or null where one is not.</summary>
    public long[]? ToLongs() => IsKnown ? [.. dims.Select(d => d.Value)] : null;

    /// <summary>The number of elements.</summary>
    public Dim Size() => dims.Aggregate(Dim.Known(1), (a, b) => a * b);

    /// <summary>Equal in rank and every extent; a shape with an unknown extent equals no other.</summary>
    public bool Equals(Shape? other) => other is not null && dims.SequenceEqual(other.dims);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Shape);

    /// <inheritdoc/>
    public override int GetHashCode() => dims.Aggregate(dims.Length, HashCode.Combine);

    /// <inheritdoc/>
    public IEnumerator<Dim> GetEnumerator() => ((IEnumerable<Dim>)dims).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => dims.GetEnumerator();

    /// <summary><c>[N,3,32,32]</c>.</summary>
    public override string ToString() => $"[{string.Join(',', dims.AsEnumerable())}]";
}
