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
        new(Markers.LayerChoice, [1], LayerChoiceMarker) { Domain = Markers.Domain },
        new(Markers.InputChoice, [1], InputChoiceMarker) { Domain = Markers.Domain },
    ];

    private static Marker LayerChoiceMarker(NodeReader node)
    {
        node.Ignore("label", "candidates", "prior");
        return new(new Joint([0], Reduction.Sum, 1));
    }

    private static Marker InputChoiceMarker(NodeReader node)
    {
        node.Ignore("label");
        var reduction = node.String("reduction", "sum");
        var chosen = node.Int("n_chosen", 1);
        var axis = (int)node.Int("axis", 1);
        return reduction == "concat"
            ? new(new Joint([.. Enumerable.Range(0, (int)chosen)], Reduction.Concat, axis))
            : new(new Joint([0], Reduction.Sum, axis), averages: reduction == "mean" && chosen != 1);
    }

    private sealed class Marker(Joint joint, bool averages = false) : LazyOperator
    {
        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
        {
            joint.RequireAlike(context, Enumerable.Range(0, context.InputCount));
            if (averages && context.Input(0).Element is var element && element != ElementType.Undefined && !element.IsFloatingPoint())
                throw new ChoiceException($"{context.Node}: {element} values have no mean. Use reduction sum, or choose behind the cast to float.");
            // All are alike, so that one whose shape is known tells those of the others.
            var known = joint.Infer(context);
            return [known.Shape is null && joint.Chosen.Count == 1 ? Enumerable.Range(0, context.InputCount).Select(context.Input).FirstOrDefault(i => i.Shape is not null) ?? known : known];
        }

        public override Tensor?[] Run(ILazyInputs inputs, RunContext context) => [joint.Run(inputs)];
    }
}
