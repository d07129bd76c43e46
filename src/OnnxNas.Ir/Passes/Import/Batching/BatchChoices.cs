namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>
/// Which axis was taken for the batch where the order of elements allows several, which happens for one sample only. What follows in the graph decides: where it
/// refuses, the last choice is taken back.
/// </summary>
internal sealed class BatchChoices
{
    private readonly List<(int Taken, int Count)> choices = [];
    private int next;

    /// <summary>The choice at this point: the first one, or in a further trial the one that is due.</summary>
    public int Choose(int count)
    {
        if (next == choices.Count)
            choices.Add((0, count));
        return choices[next++].Taken;
    }

    /// <summary>Begins again with the same choices.</summary>
    public void Rewind() => next = 0;

    /// <summary>Begins again with the next choices; false where none are left.</summary>
    public bool Advance()
    {
        Rewind();
        while (choices.Count > 0)
        {
            var (taken, count) = choices[^1];
            choices.RemoveAt(choices.Count - 1);
            if (taken + 1 < count)
            {
                choices.Add((taken + 1, count));
                return true;
            }
        }

        return false;
    }
}
