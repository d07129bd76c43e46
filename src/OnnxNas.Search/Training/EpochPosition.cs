using OnnxNas.Search.Checkpoints;

namespace OnnxNas.Search.Training;

/// <summary>Where a loop of epochs and steps stands, and the sums of the running epoch.</summary>
internal sealed class EpochPosition : ICheckpointed
{
    private double losses;
    private bool isFresh = true;

    /// <summary>The running epoch, counted from 0.</summary>
    public int Epoch { get; private set; }

    /// <summary>Steps of it that are done.</summary>
    public int Steps { get; private set; }

    /// <summary>The time these steps took.</summary>
    public double Seconds { get; private set; }

    /// <summary>The mean loss of these steps.</summary>
    public double MeanLoss => losses / Math.Max(1, Steps);

    /// <summary>Begins an epoch; returns how many of its steps were done before the search was interrupted.</summary>
    public int Begin(int epoch)
    {
        if (epoch != Epoch || !isFresh)
            (Epoch, Steps, losses, Seconds) = (epoch, 0, 0, 0);
        isFresh = false;
        return Steps;
    }

    /// <summary>Counts a step.</summary>
    public void Add(double loss, double seconds)
    {
        Steps++;
        losses += loss;
        Seconds += seconds;
    }

    /// <summary>Goes on to the start of the next epoch.</summary>
    public void Next()
    {
        Begin(Epoch + 1);
        isFresh = true;
    }

    public void Save(CheckpointState state)
    {
        state.Put("epoch", Epoch);
        state.Put("steps", Steps);
        state.Put("losses", losses);
        state.Put("seconds", Seconds);
    }

    public void Restore(CheckpointState state)
    {
        (Epoch, Steps) = ((int)state.GetInt64("epoch"), (int)state.GetInt64("steps"));
        (losses, Seconds) = (state.GetDouble("losses"), state.GetDouble("seconds"));
        isFresh = true;
    }
}
