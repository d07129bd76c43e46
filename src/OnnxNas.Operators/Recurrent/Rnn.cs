using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Recurrent;

/// <summary>RNN, versions 1, 7, 14 and 22: H' = f(X·Wᵀ + H·Rᵀ + biases). Shapes: <see cref="RecurrentLayer"/>.</summary>
internal sealed class Rnn : RecurrentLayer
{
    private readonly Func<Tensor, Tensor>[] activations;

    private Rnn(NodeReader node) : base(node, gates: 1, states: 1)
    {
        activations = GateActivations.Read(node, Directions, "Tanh");
    }

    protected override Tensor[] Step(Tensor input, Tensor[] state, Weights weights) =>
        [activations[weights.Direction](weights.Clipped(input.Plus(weights.OfState(state[0], 0, 1))))];

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("RNN", [1, 7, 14, 22], node => new Rnn(node)) { Ranges = [new(4, 1, 2)] }];
    }
}
