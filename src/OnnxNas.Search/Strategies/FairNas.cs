using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// FairNAS (Chu, Zhang, Xu 2021, strict fairness): a step draws a permutation of the candidates of every choice and runs as many paths as the largest
/// choice has candidates, path i with the i-th of each permutation; gradients are added up and one step is taken, so every candidate learns equally often. A choice with fewer
/// candidates goes on with a new permutation when one is used up. An InputChoice takes the next n of its permutation; where any number may be
/// chosen, a drawn number of them.
/// </summary>
/// <param name="task">The task.</param>
[Strategy("fairnas", "sampling: every candidate once a step, then evolution")]
public sealed class FairNas(TrainingTask task) : SamplingTrainer(task)
{
    /// <inheritdoc/>
    protected override void Step(Optimizer weights, Batch train, Batch valid)
    {
        ArgumentNullException.ThrowIfNull(weights);
        using var scope = NewDisposeScope();
        var sums = new Tensor?[weights.Parameters.Count];
        var paths = Paths(Task.Space, NextRandom());
        var loss = 0.0;
        foreach (var path in paths)
        {
            Path = path;
            var pathLoss = TrainingLossOf(train);
            loss += pathLoss.to_type(ScalarType.Float64).item<double>() / paths.Count;
            foreach (var (i, gradient) in GradientsOf(pathLoss, weights).Index())
                sums[i] = gradient is null || sums[i] is null ? sums[i] ?? gradient : sums[i]!.Plus(gradient);
        }

        Apply(weights, loss, sums);
    }

    /// <summary>The paths of one step.</summary>
    internal static IReadOnlyList<Architecture> Paths(SearchSpace space, SeededRandom random)
    {
        var decks = space.Choices.ToDictionary(c => c.Label, c => new Deck(c.Candidates.Count, random));
        return [.. Enumerable.Range(0, space.Choices.Max(c => c.Candidates.Count)).Select(_ =>
            new Architecture(space, space.Choices.ToDictionary(c => c.Label, c => decks[c.Label].Take(WidthOf(c, random)))))];
    }

    private static int WidthOf(Choice choice, SeededRandom random) =>
        choice is not InputChoice input ? 1 : input.ChosenCount > 0 ? input.ChosenCount : 1 + random.NextInt(choice.Candidates.Count);

    // Candidates in random order, dealt without return until none is left.
    private sealed class Deck(int size, SeededRandom random)
    {
        private readonly List<int> left = [];

        public IReadOnlyList<int> Take(int count)
        {
            var hand = new SortedSet<int>();
            while (hand.Count < count)
            {
                if (left.Count == 0)
                {
                    int[] order = [.. Enumerable.Range(0, size)];
                    random.Shuffle<int>(order);
                    left.AddRange(order);
                }

                // After a new permutation those in the hand already wait for the next path.
                var next = left.FindIndex(k => !hand.Contains(k));
                hand.Add(left[next]);
                left.RemoveAt(next);
            }

            return [.. hand];
        }
    }
}
