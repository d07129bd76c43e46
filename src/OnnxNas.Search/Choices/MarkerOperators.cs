using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using OnnxNas.Search.Supernets;
using static TorchSharp.torch;

namespace OnnxNas.Search.Choices;

/// <summary>
/// The markers as operators, so that a marked model has shapes and runs unsearched: LayerChoice and InputChoice hand
/// their first input through, InputChoice with <c>concat</c> joins the first n_chosen.
/// </summary>
internal sealed class MarkerOperators : IOperatorFamily
{
    public IEnumerable<OperatorDefinition> Operators =>
    [
        new(Markers.LayerChoice, [1], Bind) { Domain = Markers.Domain },
        new(Markers.InputChoice, [1], Bind) { Domain = Markers.Domain },
    ];

    private static Marker Bind(NodeReader node)
    {
        node.Ignore([.. node.Node.Attributes.Keys]);
        return new(node.Node);
    }

    // Read when it is asked for: many bind a marker for each of its inputs, and need not have read the model's choices before.
    private sealed class Marker(Node node) : LazyOperator
    {
        private readonly Lazy<(Joint Joint, bool Averages)> read = new(() => SearchSpaceReader.ReadMarker(node) is not InputChoice choice
            ? (new Joint([0], Reduction.Sum, 1), false)
            : choice.Reduction == Reduction.Concat
                ? (new Joint([.. Enumerable.Range(0, choice.ChosenCount)], Reduction.Concat, choice.Axis), false)
                : (new Joint([0], Reduction.Sum, choice.Axis), choice.Reduction == Reduction.Mean && choice.ChosenCount != 1));

        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
        {
            var (joint, averages) = read.Value;
            joint.RequireAlike(context, Enumerable.Range(0, context.InputCount));
            if (averages && context.Input(0).Element is var element && element != ElementType.Undefined && !element.IsFloatingPoint())
                throw new ChoiceException($"{context.Node}: {element} values have no mean. Use reduction sum, or choose behind the cast to float.");
            // All are alike, so that one whose shape is known tells those of the others.
            var known = joint.Infer(context);
            return [known.Shape is null && joint.Chosen.Count == 1 ? Enumerable.Range(0, context.InputCount).Select(context.Input).FirstOrDefault(i => i.Shape is not null) ?? known : known];
        }

        public override Tensor?[] Run(ILazyInputs inputs, RunContext context) => [read.Value.Joint.Run(inputs)];
    }
}
