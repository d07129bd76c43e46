using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>
/// A first-order optimizer over an ordered list of parameters. Gradients are handed in, so that a parameter without one is left alone by
/// momentum and weight decay too; the state is ordered tensors, so that a checkpoint holds all of it. (TorchSharp's own optimizers offer neither,
/// and make temporary <see cref="TorchSharp.Scalar"/>s, which may be freed while they are read.)
/// </summary>
public abstract class Optimizer : ICheckpointed, IDisposable
{
    private readonly bool[] isDecayed;
    private readonly Tensor[][] state;

    /// <summary>An optimizer.</summary>
    /// <param name="parameters">What is optimised, in an order that stays.</param>
    /// <param name="learningRate">The first learning rate.</param>
    /// <param name="weightDecay">λ of the term λ·w that is added to a gradient.</param>
    /// <param name="decays">Which parameters are decayed; all unless given.</param>
    /// <param name="stateNames">The names of the tensors kept for each parameter, of its shape, zero at first.</param>
    protected Optimizer(IEnumerable<Parameter> parameters, double learningRate, double weightDecay, Predicate<Parameter>? decays, params IReadOnlyList<string> stateNames)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentNullException.ThrowIfNull(stateNames);
        Parameters = [.. parameters];
        (LearningRate, WeightDecay) = (learningRate, weightDecay);
        isDecayed = [.. Parameters.Select(p => weightDecay != 0 && (decays is null || decays(p)))];
        StateNames = stateNames;
        using var off = no_grad();
        state = [.. Parameters.Select(p => stateNames.Select(_ => zeros_like(p).DetachFromDisposeScope()).ToArray())];
        Steps = new long[Parameters.Count];
    }

    /// <summary>What is optimised.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The learning rate of the next step.</summary>
    public double LearningRate { get; set; }

    /// <summary>λ of the term λ·w that is added to a gradient.</summary>
    public double WeightDecay { get; }

    /// <summary>The names of the tensors kept for each parameter.</summary>
    public IReadOnlyList<string> StateNames { get; }

    /// <summary>How many steps each parameter has taken.</summary>
    public long[] Steps { get; }

    /// <summary>A tensor kept for a parameter.</summary>
    public Tensor State(int parameter, int name) => state[parameter][name];

    /// <summary>Moves every parameter that has a gradient.</summary>
    /// <param name="gradients">One for each parameter, in their order; null or invalid = leave it alone.</param>
    public void Step(IReadOnlyList<Tensor?> gradients)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        if (gradients.Count != Parameters.Count)
            throw new ArgumentException($"{gradients.Count} gradients for {Parameters.Count} parameters.", nameof(gradients));
        using var off = no_grad();
        using var scope = NewDisposeScope();
        BeginStep();
        for (var i = 0; i < gradients.Count; i++)
        {
            if (gradients[i] is not { IsInvalid: false } gradient)
                continue;
            Steps[i]++;
            Update(i, Parameters[i], Decayed(i, gradient));
        }
    }

    /// <summary>A gradient with λ·w added, where its parameter is decayed.</summary>
    protected Tensor Decayed(int index, Tensor gradient)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        return isDecayed[index] ? gradient.add(Parameters[index], Scalars.Of(WeightDecay)) : gradient;
    }

    /// <summary>Puts the learning rate and all that is kept for the parameters into <paramref name="state"/>; not the parameters themselves.</summary>
    public void Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var steps = tensor(Steps);
        state.Put("steps", steps);
        state.Put("learning_rate", LearningRate);
        foreach (var (name, kept) in Kept())
            state.Put(name, kept);
    }

    /// <inheritdoc/>
    public void Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var steps = tensor(Steps);
        state.CopyInto("steps", steps);
        steps.data<long>().ToArray().CopyTo(Steps, 0);
        LearningRate = state.GetDouble("learning_rate");
        foreach (var (name, kept) in Kept())
            state.CopyInto(name, kept);
    }

    /// <summary>Forgets every step: all that is kept for the parameters is zero again.</summary>
    public void Reset()
    {
        Array.Clear(Steps);
        foreach (var (_, kept) in Kept())
            kept.zero_();
    }

    private IEnumerable<(string Name, Tensor Kept)> Kept() =>
        from i in Enumerable.Range(0, state.Length)
        from j in Enumerable.Range(0, StateNames.Count)
        select ($"{StateNames[j]}/{i}", state[i][j]);

    /// <summary>Called before the first update of a step.</summary>
    protected abstract void BeginStep();

    /// <summary>Moves one parameter by its gradient, the decay added. Runs without autograd, in a dispose scope of the step.</summary>
    protected abstract void Update(int index, Parameter parameter, Tensor gradient);

    /// <summary>Frees the state.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing)
            return;
        foreach (var tensor in state.SelectMany(s => s))
            tensor.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }
}
