using System.Globalization;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;

namespace OnnxNas.Cli.Reports;

/// <summary>Says where a search by gradient is too short for its learning rate to decide anything.</summary>
internal static class ReachNote
{
    // A step of Adam moves α by about its learning rate, so that two logits can come apart by twice this: a ratio of probabilities of 7.
    private const double Least = 1;

    // What the 50 epochs of DARTS on half of CIFAR-10 allow: 0.0003 times 19,550 steps.
    private const double Papers = 5.9;

    /// <summary>The note for people, or null where there is nothing to say.</summary>
    public static string? Of(OneShotTrainer trainer)
    {
        if (trainer is not GradientTrainer)
            return null;
        var (options, task) = (trainer.Task.Options, trainer.Task);
        var steps = (options.Epochs - options.WarmupEpochs) * task.StepsPerEpoch;
        var reach = options.ArchLr * steps;
        return reach >= Least ? null : string.Create(CultureInfo.InvariantCulture,
            $"{steps:N0} steps with --arch-lr {options.ArchLr} move the architecture by {reach:G2} at most, so that its probabilities stay nearly even; --arch-lr {Papers / steps:G1} gives it the reach of the paper's search");
    }
}
