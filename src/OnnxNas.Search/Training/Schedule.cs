namespace OnnxNas.Search.Training;

/// <summary>Learning rates as pure functions of the epoch.</summary>
public static class Schedule
{
    /// <summary>The learning rate of the weights in an epoch, counted from 0, by <see cref="SearchOptions.Schedule"/>.</summary>
    public static double LearningRate(SearchOptions options, int epoch, int epochs)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Schedule switch
        {
            "step" => Step(options.Lr, options.StepFactor, options.StepEpochs, epoch),
            "constant" => options.Lr,
            _ => Cosine(options.Lr, options.EffectiveMinLr(), epoch, epochs),
        };
    }

    /// <summary><paramref name="first"/>, multiplied by <paramref name="factor"/> each time that <paramref name="every"/> epochs are over.</summary>
    public static double Step(double first, double factor, int every, int epoch) => first * Math.Pow(factor, epoch / every);

    /// <summary>Half a cosine from <paramref name="first"/> in epoch 0 towards <paramref name="last"/> at <paramref name="epochs"/> (Loshchilov, Hutter 2017, eq. 5).</summary>
    public static double Cosine(double first, double last, int epoch, int epochs) =>
        last + (first - last) * (1 + Math.Cos(Math.PI * epoch / Math.Max(1, epochs))) / 2;

    /// <summary>A straight line from <paramref name="first"/> in epoch 0 to <paramref name="last"/> in the last epoch.</summary>
    public static double Linear(double first, double last, int epoch, int epochs) =>
        epochs <= 1 ? last : first + (last - first) * epoch / (epochs - 1);
}
