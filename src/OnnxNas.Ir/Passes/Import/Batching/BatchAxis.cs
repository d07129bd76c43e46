namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>
/// Where a value holds the samples of a batch of N: along <paramref name="Axis"/>, whose extent is
/// <paramref name="Outer"/>·N·<paramref name="Inner"/> and whose index is (outer·N + sample)·Inner + inner. Both are 1 where nothing is merged with the batch.
/// </summary>
internal readonly record struct BatchAxis(int Axis, Dim Outer, Dim Inner)
{
    /// <summary>An axis that is the batch and nothing else.</summary>
    public static BatchAxis Pure(int axis) => new(axis, 1, 1);

    /// <summary>The number of places a sample has on the axis.</summary>
    public Dim PerSample => Outer * Inner;

    /// <summary>The same samples on another axis.</summary>
    public BatchAxis At(int axis) => this with { Axis = axis };

    /// <summary>The extent of the axis for a number of samples.</summary>
    public Dim Extent(Dim samples) => PerSample * samples;

    /// <summary>Whether samples lie on the axis in the same order.</summary>
    public bool HasLayoutOf(BatchAxis other) => Outer.Equals(other.Outer) && Inner.Equals(other.Inner);
}
