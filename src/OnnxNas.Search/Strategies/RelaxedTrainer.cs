using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A gradient search over a mix of all candidates, built of graph nodes: every LayerChoice is Σ w·y with w the softmax of its logits, an InputChoice n·Σ w·x for
/// sum and Σ w·x for mean; any number of inputs (n_chosen = 0) is gated by sigmoids, one an input. A strategy says what the logits are.
/// </summary>
public abstract class RelaxedTrainer : GradientTrainer
{
    /// <summary>Prepares the search.</summary>
    protected RelaxedTrainer(TrainingTask task) : base(task)
    {
    }

    /// <summary>What the weights of a choice are the softmax (or sigmoid) of: α itself. Called once a marker; nodes go before it.</summary>
    protected virtual Value Logits(Choice choice, Node marker) => Alpha(choice);

    /// <summary>What a LayerChoice computes by its weights: the mix of its candidates. Called once a marker; nodes go before it.</summary>
    protected virtual Value Blend(LayerChoice choice, Node marker, Value weights) => Mix(marker, weights);

    /// <summary>Puts the mix in place of every choice.</summary>
    /// <exception cref="ChoiceException">A choice cannot be mixed.</exception>
    protected void Relax()
    {
        RequireMixable();
        Supernet.ReplaceLayerChoice((choice, marker) => Blend(choice, marker, Softmax(choice, marker)));
        Supernet.ReplaceInputChoice(RelaxInputs);
    }

    private Value RelaxInputs(InputChoice choice, Node marker)
    {
        var graph = marker.Graph;
        if (choice.ChosenCount == 0)
        {
            var gates = graph.Call("Sigmoid", [Logits(choice, marker)], $"{marker.Output.Name}/gates", before: marker);
            var count = graph.Call("ReduceSum", [gates], $"{marker.Output.Name}/count", attributes: [Attr.Of("keepdims", 1L)], before: marker);
            return Mix(marker, choice.Reduction == Reduction.Sum ? gates : graph.Call("Div", [gates, count], before: marker));
        }

        var weights = Softmax(choice, marker);
        if (choice.Reduction == Reduction.Sum && choice.ChosenCount > 1)
            weights = graph.Call("Mul", [weights, graph.AddConstant($"{marker.Output.Name}/n", Numbers([], choice.ChosenCount))], before: marker);
        return Mix(marker, weights);
    }

    private Value Softmax(Choice choice, Node marker) =>
        marker.Graph.Call("Softmax", [Logits(choice, marker)], $"{marker.Output.Name}/weights", attributes: [Attr.Of("axis", 0L)], before: marker);

    private static Value Mix(Node marker, Value weights) =>
        marker.Graph.Call(MixOperator.Name, [weights, .. marker.Inputs], $"{marker.Output.Name}/mix", SupernetOperators.Domain, before: marker);
}
