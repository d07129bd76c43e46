using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Nn;

/// <summary>
/// NegativeLogLikelihoodLoss, versions 12, 13 and 22: log probabilities <c>[N,C,..]</c>, target classes <c>[N,..]</c> and class weights
/// <c>[C]</c> to the loss: a scalar, or <c>[N,..]</c> where <c>reduction</c> is none. SoftmaxCrossEntropyLoss, versions 12 and 13: the same
/// from scores, with the log probabilities as second output. The mean is weighted, and leaves out targets equal to <c>ignore_index</c>.
/// </summary>
internal sealed class NegativeLogLikelihoodLoss : NamedOperator
{
    private readonly string op;
    private readonly string reduction;
    private readonly long? ignored;
    private readonly bool fromScores;

    private NegativeLogLikelihoodLoss(NodeReader node, bool fromScores) : base(node, 2, 3)
    {
        this.fromScores = fromScores;
        op = node.Node.OpType;
        reduction = node.String("reduction", "mean");
        ignored = node.Has("ignore_index") ? node.Int("ignore_index") : null;
        if (reduction is not ("none" or "sum" or "mean"))
            throw node.Malformed($"reduction '{reduction}' is not one of none, sum, mean.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var (input, target) = (context.Shape(0), context.Shape(1));
        if (input is not null && target is not null)
        {
            if (input.Rank < 2 || target.Rank != input.Rank - 1 || !target.Zip([input[0], .. input.Skip(2)]).All(p => Rules.MayEqual(p.First, p.Second)))
                throw context.Error($"target {target} must be {input} without the second axis.");
            if (context.Shape(2) is { } weight && (weight.Rank != 1 || !Rules.MayEqual(weight[0], input[1])))
                throw context.Error($"weight {weight} must be [{input[1]}].");
        }

        var shape = reduction != "none" ? Shape.Scalar : target ?? (input is null ? null : new Shape([input[0], .. input.Skip(2)]));
        return [InferredValue.Tensor(context.Element(0), shape), context.SameAsFirst()];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (input, target, weight) = (inputs[0]!, inputs[1]!, inputs.At(2));
        var extents = input.shape;
        Rules.Require(
            extents.Length >= 2 && target.shape.AsSpan().SequenceEqual([extents[0], .. extents.AsSpan(2)]),
            () => $"{op}: target {target.Text()} must be {input.Text()} without the second axis.");
        Rules.Require(weight is null || weight.dim() == 1 && weight.size(0) == extents[1], () => $"{op}: weight {weight!.Text()} must be [{extents[1]}].");

        var logarithms = fromScores ? nn.functional.log_softmax(input, 1) : input;
        var loss = Loss(logarithms, target.to(ScalarType.Int64), weight);
        return context.OutputCount > 1 ? [loss, logarithms] : [loss];
    }

    private Tensor Loss(Tensor logarithms, Tensor target, Tensor? weight)
    {
        var kept = ignored is { } index ? target.ne(Scalars.Of(index)) : null;
        var classes = kept is null ? target : where(kept, target, zeros_like(target));
        Rules.Require(
            !((classes < Scalars.Zero) | (classes >= Scalars.Of(logarithms.size(1)))).any().item<bool>(),
            () => $"{op}: a target lies outside 0 to {logarithms.size(1) - 1}; give it as ignore_index, or correct the labels.");
        var picked = logarithms.gather(1, classes.unsqueeze(1)).squeeze(1);
        var scale = weight is null ? null : weight.index_select(0, classes.reshape(-1)).reshape(target.shape);
        if (kept is not null)
            scale = scale is null ? kept.to(logarithms.dtype) : scale * kept;
        var losses = scale is null ? -picked : -picked * scale;
        return reduction switch
        {
            "none" => losses,
            "sum" => losses.sum(),
            _ => scale is null ? losses.mean() : losses.sum() / scale.sum(),
        };
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("NegativeLogLikelihoodLoss", [12, 13, 22], node => new NegativeLogLikelihoodLoss(node, fromScores: false)),
            new("SoftmaxCrossEntropyLoss", [12, 13], node => new NegativeLogLikelihoodLoss(node, fromScores: true)),
        ];
    }
}
