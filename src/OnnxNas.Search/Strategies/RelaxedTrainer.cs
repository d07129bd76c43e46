using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A gradient search over a mix of all candidates, built of graph nodes: every LayerChoice is Σ w·y with w the softmax of its logits, an InputChoice n·Σ w·x for
/// sum and Σ w·x for mean; any number of inputs (n_chosen = 0) is gated by sigmoids, one an input. A strategy says what the logits are.
/// </summary>
public abstract class RelaxedTrainer : GradientTrainer
{
    private readonly AuxiliarySkip? auxiliary;
    private readonly EigenvalueStop? stop;

    /// <summary>Prepares the search.</summary>
    protected RelaxedTrainer(TrainingTask task) : base(task)
    {
        auxiliary = Task.Options.AuxiliarySkip ? new(Task.Space) : null;
        stop = Task.Options.EigenvalueStop ? new(Task.Options.EigenvalueWindow, Task.Options.EigenvalueRatio) : null;
    }

    /// <summary>What α is divided by before the softmax; 1 unless a strategy has a temperature.</summary>
    protected virtual double Softening => 1;

    /// <inheritdoc/>
    public override void Fit()
    {
        if (stop is not null)
            Task.Checkpointer.Add("eigenvalue_stop", stop);
        base.Fit();
    }

    /// <summary>What the weights of a choice are the softmax (or sigmoid) of: α itself. Called once a marker; nodes go before it.</summary>
    protected virtual Value Logits(Choice choice, Node marker) => Alpha(choice);

    /// <summary>What a LayerChoice computes by its weights: the mix of its candidates. Called once a marker; nodes go before it.</summary>
    protected virtual Value Blend(LayerChoice choice, Node marker, Value weights)
    {
        ArgumentNullException.ThrowIfNull(marker);
        if (auxiliary?.Of(choice, marker) is not { } skip)
            return Mix(marker, weights);
        var beta = Supernet.Drawn(choice, "auxiliary_skip", new TensorType(ArchitectureType, new Shape(1)),
            () => Numbers([1], AuxiliarySkip.Weight(Epoch, Task.Options.Epochs)).ToTorch(Task.Device));
        return Mix(marker, marker.Graph.Call("Concat", [weights, beta], attributes: [Attr.Of("axis", 0L)], before: marker), skip);
    }

    /// <summary>Puts the mix in place of every choice.</summary>
    /// <exception cref="ChoiceException">A choice cannot be mixed.</exception>
    protected void Relax()
    {
        RequireMixable();
        Supernet.ReplaceLayerChoice((choice, marker) => Blend(choice, marker, Softmax(choice, marker)));
        Supernet.ReplaceInputChoice(RelaxInputs);
    }

    /// <inheritdoc/>
    protected override void EndEpoch(int epoch)
    {
        if (stop is null || epoch < Task.Options.WarmupEpochs || stop.After(LargestEigenvalue(), [.. Alphas.Parameters.SelectMany(a => a.ToTensorData().ToDoubles())]) is not { } earlier)
            return;
        using (no_grad())
        {
            using var scope = NewDisposeScope();
            var offset = 0;
            foreach (var alpha in Alphas.Parameters)
            {
                var count = (int)alpha.numel();
                alpha.copy_(tensor(earlier[offset..(offset + count)], alpha.shape));
                offset += count;
            }
        }

        Validate();
        Task.Note($"search stopped after epoch {epoch + 1}: the largest eigenvalue of the validation loss' Hessian in the architecture has risen; the architecture is that of an earlier epoch");
        EndAfterEpoch();
    }

    // Of the Hessian of the validation loss in the logits α/τ, since one in α would grow with 1/τ² as the temperature falls. As the supernet is scored: with running statistics, without noise or
    // dropout; always on the same samples.
    private double LargestEigenvalue()
    {
        using var scope = NewDisposeScope();
        var batch = Task.Validation.Load(Task.Validation.InOrder().First().Indices);
        Supernet.Module.Training = false;
        return Softening * Softening * new ArchitectureHessian(Alphas.Parameters, () => Task.Loss.Of(Supernet.Forward(batch.Inputs)[0], batch.Label)).LargestEigenvalue();
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

    private static Value Mix(Node marker, Value weights, params Value[] further) =>
        marker.Graph.Call(MixOperator.Name, [weights, .. marker.Inputs, .. further], $"{marker.Output.Name}/mix", SupernetOperators.Domain, before: marker);
}
