namespace OnnxNas.Cli.Tests.Endings;

/// <summary>How a model ends.</summary>
public enum Ending
{
    /// <summary>The head's values are the output.</summary>
    Logits,

    /// <summary>Softmax over the classes.</summary>
    Softmax,

    /// <summary>LogSoftmax over the classes.</summary>
    LogSoftmax,

    /// <summary>ArgMax is the first output, the logits are the second.</summary>
    ArgMaxBeside,

    /// <summary>Probabilities are the first output, the logits are the second.</summary>
    Several,

    /// <summary>One value that Sigmoid turns into the probability of class 1.</summary>
    Sigmoid,
}

/// <summary>Which operator makes the classes, and so the rank of the output.</summary>
public enum Head
{
    /// <summary>[N,F] to [N,C].</summary>
    Gemm,

    /// <summary>[N,T,F] to [N,T,C].</summary>
    MatMul,

    /// <summary>[N,F,H,W] to [N,C,H,W].</summary>
    Conv,

    /// <summary>[N,T,F] to [N,T,C], with T = C.</summary>
    Einsum,
}

/// <summary>How the labels lie in the data file.</summary>
public enum LabelLayout
{
    /// <summary>int64 class numbers.</summary>
    Indices,

    /// <summary>int32 class numbers with one more axis of extent 1.</summary>
    Column,

    /// <summary>float32 rows with a single 1.</summary>
    OneHot,

    /// <summary>float32 rows that sum to 1.</summary>
    Soft,

    /// <summary>float32 class numbers.</summary>
    FloatIndices,

    /// <summary>bool, for two classes.</summary>
    Bool,
}

/// <summary>One row of the table: a small model and its data.</summary>
public sealed record EndingCase(Ending Ending, Head Head, LabelLayout Labels, int Opset)
{
    /// <summary>Every row.</summary>
    public static IReadOnlyList<EndingCase> All { get; } = [.. Rows()];

    /// <summary>Whether there is one value a position, and two classes.</summary>
    public bool IsBinary => Ending == Ending.Sigmoid;

    /// <inheritdoc/>
    public override string ToString() => $"{Ending} {Head} {Labels} opset {Opset}";

    private static IEnumerable<EndingCase> Rows()
    {
        var (classes, binary) = (new[] { LabelLayout.Indices, LabelLayout.Column, LabelLayout.OneHot, LabelLayout.Soft, LabelLayout.FloatIndices }, new[] { LabelLayout.Indices, LabelLayout.Column, LabelLayout.Bool, LabelLayout.FloatIndices });
        foreach (var ending in Enum.GetValues<Ending>())
        {
            foreach (var head in Enum.GetValues<Head>())
            {
                // Three of the layouts each, in turn, so that every pair of ending and layout, and of head and layout, is there.
                var layouts = ending == Ending.Sigmoid ? binary : classes;
                for (var i = 0; i < 3; i++)
                    yield return new(ending, head, layouts[((int)ending + 2 * (int)head + i) % layouts.Length], OpsetOf(ending, head, i));
            }
        }
    }

    // Softmax flattened all axes from its own on before opset 13, so that it cannot be over channels of images there. Einsum came with opset 12.
    private static int OpsetOf(Ending ending, Head head, int turn)
    {
        var isOverChannels = head == Head.Conv && ending is Ending.Softmax or Ending.LogSoftmax or Ending.Several;
        int[] opsets = head == Head.Einsum ? [12, 13, 18] : isOverChannels ? [13, 17, 20] : [9, 13, 21];
        return opsets[turn];
    }
}
