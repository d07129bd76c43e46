using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A search that runs one architecture at a time: only the chosen candidates compute and learn, all others are left bit for bit as they are.
/// Takes every kind of choice.
/// </summary>
public abstract class SamplingTrainer : OneShotTrainer
{
    /// <summary>Prepares the search.</summary>
    protected SamplingTrainer(TrainingTask task) : base(task)
    {
        Path = Architecture.First(Task.Space);
        Supernet.ReplaceLayerChoice(Follow);
        Supernet.ReplaceInputChoice(Follow);
    }

    /// <summary>The architecture that the supernet runs.</summary>
    protected Architecture Path { get; set; }

    private MixtureModule Follow(Choice choice) => new(choice, () => new(Path[choice.Label]));
}
