using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Recurrent;

/// <summary>
/// LSTM, versions 1, 7, 14 and 22, gates in the order input i, output o, forget f, cell c: C' = f·C + i·c, H' = o·h(C'). Peepholes let i and f
/// see C, and o see C'. With <c>input_forget</c> f is 1 − i. Shapes: <see cref="RecurrentLayer"/>.
/// </summary>
internal sealed class Lstm : RecurrentLayer
{
    private readonly Func<Tensor, Tensor>[] activations;
    private readonly bool coupled;

    private Lstm(NodeReader node) : base(node, gates: 4, states: 2)
    {
        activations = GateActivations.Read(node, Directions, "Sigmoid", "Tanh", "Tanh");
        coupled = node.Flag("input_forget", false);
    }

    protected override Tensor[] Step(Tensor input, Tensor[] state, Weights weights)
    {
        var first = 3 * weights.Direction;
        var (f, g, h) = (activations[first], activations[first + 1], activations[first + 2]);
        var cell = state[1];
        var all = input.Plus(weights.OfState(state[0], 0, 4));
        var enter = f(Gate(0, 0, cell));
        var forget = coupled ? ones_like(enter) - enter : f(Gate(2, 2, cell));
        var next = (forget * cell).Plus(enter * g(weights.Clipped(weights.Gate(all, 3))));
        var leave = f(Gate(1, 1, next));
        return [leave * h(next), next];

        Tensor Gate(int gate, int peephole, Tensor seen)
        {
            var sum = weights.Gate(all, gate);
            return weights.Clipped(weights.Peephole(peephole) is { } p ? sum.Plus(p * seen) : sum);
        }
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("LSTM", [1, 7, 14, 22], node => new Lstm(node)) { Ranges = [new(4, 1, 2)] }];
    }
}
