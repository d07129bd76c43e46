namespace OnnxNas.Search;

/// <summary>
/// Every setting of a search, as <c>config.json</c> holds them (snake case) and the command line takes them.
/// </summary>
public sealed record SearchOptions
{
    /// <summary>The strategy's name.</summary>
    public string Strategy { get; init; } = "darts";

    /// <summary>Passes over the training half while searching.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Samples per step.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The first learning rate of the weights; it falls to <see cref="MinLr"/> along a cosine over the epochs (DARTS, §A.1).</summary>
    public double Lr { get; init; } = 0.025;

    /// <summary>The learning rate of the weights in the last epoch.</summary>
    public double MinLr { get; init; } = 0.001;

    /// <summary>Momentum of the weights' SGD (DARTS, §A.1).</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay of the weights (DARTS, §A.1).</summary>
    public double WeightDecay { get; init; } = 3e-4;

    /// <summary>The largest norm of the weights' gradient; 0 = no clipping (DARTS, §A.1).</summary>
    public double GradClip { get; init; } = 5;

    /// <summary>The learning rate of the architecture's Adam(0.5, 0.999) (DARTS, §A.1).</summary>
    public double ArchLr { get; init; } = 3e-4;

    /// <summary>Weight decay of the architecture (DARTS, §A.1).</summary>
    public double ArchWeightDecay { get; init; } = 1e-3;

    /// <summary>Determines the split, the data order, the initial architecture and dropout.</summary>
    public int Seed { get; init; }

    /// <summary>The share of all samples kept for the test, where no test data is given.</summary>
    public double TestFraction { get; init; } = 0.2;

    /// <summary>The share of the samples beside the test that the architecture is trained on.</summary>
    public double ValidFraction { get; init; } = 0.5;

    /// <summary>Passes over train and valid together for the winner; null = as many as <see cref="Epochs"/>, 0 = keep the supernet's weights.</summary>
    public int? RetrainEpochs { get; init; }

    /// <summary>Where the winner's weights start: <c>inherit</c> from the supernet, or afresh from <c>scratch</c>.</summary>
    public string Init { get; init; } = "inherit";

    /// <summary>The loss's name; null = cross-entropy for integer labels, mse for others.</summary>
    public string? Loss { get; init; }

    /// <summary>Threads of libtorch and ONNX Runtime; 0 = one a core.</summary>
    public int Threads { get; init; }

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    public string Device { get; init; } = "cpu";
}
