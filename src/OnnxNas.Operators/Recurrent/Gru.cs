using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Recurrent;

/// <summary>
/// GRU, versions 3, 7, 14 and 22, gates in the order update z, reset r, hidden h: H' = (1 − z)·h + z·H. With <c>linear_before_reset</c> the
/// reset gate scales H·Rᵀ plus its bias, else H. Shapes: <see cref="RecurrentLayer"/>.
/// </summary>
internal sealed class Gru : RecurrentLayer
{
    private readonly Func<Tensor, Tensor>[] activations;
    private readonly bool linearBeforeReset;

    private Gru(NodeReader node) : base(node, gates: 3, states: 1)
    {
        activations = GateActivations.Read(node, Directions, "Sigmoid", "Tanh");
        linearBeforeReset = node.Flag("linear_before_reset", false);
    }

    protected override Tensor[] Step(Tensor input, Tensor[] state, Weights weights)
    {
        var (f, g) = (activations[2 * weights.Direction], activations[2 * weights.Direction + 1]);
        var ofState = weights.OfState(state[0], 0, linearBeforeReset ? 3 : 2);
        var update = f(weights.Clipped(weights.Gate(input, 0).Plus(weights.Gate(ofState, 0))));
        var reset = f(weights.Clipped(weights.Gate(input, 1).Plus(weights.Gate(ofState, 1))));
        var remembered = linearBeforeReset ? reset * weights.Gate(ofState, 2) : weights.OfState(reset * state[0], 2, 3);
        var candidate = g(weights.Clipped(weights.Gate(input, 2).Plus(remembered)));
        return [candidate.Plus(update * (state[0] - candidate))];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("GRU", [3, 7, 14, 22], node => new Gru(node)) { Ranges = [new(4, 1, 2)] }];
    }
}
