using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.ControlFlow;

/// <summary>
/// Loop, all versions: runs <c>body</c> (iteration, condition, carried values to condition, carried values, elements of scan outputs) at most M
/// times and while the condition holds, to the last carried values and the scan outputs, stacked along a new first axis. Gradients flow
/// through all iterations.
/// </summary>
internal sealed class Loop : ControlFlowOperator
{
    private const string Body = "body";

    private readonly Graph body;
    private readonly int carried;

    private Loop(NodeReader node)
    {
        body = node.Attribute(Body)?.AsGraph() ?? throw node.Malformed("attribute 'body' is missing; the operator needs it.");
        carried = Math.Max(0, node.InputCount - 2);
        if (body.Inputs.Count != carried + 2 || body.Outputs.Count != node.Node.Outputs.Count + 1 || node.Node.Outputs.Count < carried)
            throw node.Malformed($"body has {body.Inputs.Count} inputs and {body.Outputs.Count} outputs; it must have {carried + 2} and {node.Node.Outputs.Count + 1}.");
        for (var i = 0; i < carried; i++)
        {
            if (!node.HasInput(2 + i))
                throw node.Malformed($"input {2 + i} is missing; every carried value needs a start.");
        }
    }

    public override IReadOnlyList<OnnxType?> BodyInputs(InferenceContext context, Graph body) =>
    [
        new TensorType(ElementType.Int64, Shape.Scalar),
        new TensorType(ElementType.Bool, Shape.Scalar),
        .. Enumerable.Range(2, carried).Select(i => BodyTypes.ElementOnly(context.Input(i).Type)),
    ];

    public override Dim? Repetitions(InferenceContext context) => RunsToTheEnd(context) && KnownElements.Of(context, 0) is [{ IsUnknown: false } count] ? count : null;

    public override int? StartOf(int bodyInput) => bodyInput < 2 ? null : bodyInput;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var result = new List<InferredValue?>();
        for (var i = 0; i < carried; i++)
        {
            var (start, next) = (context.Input(2 + i).Type, body.Outputs[1 + i].Type);
            // An unknown shape within says only that the body was looked at without one.
            result.Add(new(BodyTypes.Either(start, next)));
        }

        var trips = RunsToTheEnd(context) && KnownElements.Of(context, 0) is [var count] ? count : Dim.Unknown();
        foreach (var element in body.Outputs.Skip(1 + carried))
            result.Add(new(BodyTypes.Reshaped(element.Type, s => s.Prepend(trips))));
        return result;
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, BodyRunner run, RunContext context)
    {
        var most = inputs.Count > 0 && inputs[0] is { } m ? One(m, "M") : long.MaxValue;
        var condition = inputs.Count <= 1 || inputs[1] is not { } c || One(c, "the condition") != 0;
        if (most == long.MaxValue && condition && GoesOn())
            throw new ShapeInferenceException("neither M nor a condition ends the loop.");
        Tensor[] values = [.. inputs.Skip(2).Select(v => v!)];
        var scans = body.Outputs.Skip(1 + carried).Select(_ => new List<Tensor>()).ToList();
        for (long i = 0; i < most && condition; i++)
        {
            var outputs = run(Body, [tensor(i), tensor(true), .. values]);
            condition = One(outputs[0], "the condition") != 0;
            values = [.. outputs.Skip(1).Take(carried)];
            for (var s = 0; s < scans.Count; s++)
                scans[s].Add(outputs[1 + carried + s]);
        }

        return [.. values, .. scans.Select((parts, i) => Stack(parts, body.Outputs[1 + carried + i]))];
    }

    private static Tensor Stack(List<Tensor> parts, Value element)
    {
        if (parts.Count == 0)
        {
            var shape = element.Shape?.ToLongs() ?? throw new ShapeInferenceException($"no iteration ran, and the shape of '{element.Name}' is not known.");
            return zeros([0, .. shape], element.Element.ToTorch());
        }

        var extents = parts[0].shape;
        if (parts.FirstOrDefault(p => p.dtype != parts[0].dtype || !p.shape.SequenceEqual(extents)) is { } other)
            throw new ShapeInferenceException($"'{element.Name}' is [{string.Join(',', extents)}] in the first iteration and [{string.Join(',', other.shape)}] in another; its elements are stacked.");
        return stack(parts, 0);
    }

    private static long One(Tensor tensor, string what) =>
        tensor.numel() == 1 ? tensor.ToInt64s()[0] : throw new ShapeInferenceException($"{what} must be one element, got {tensor.numel()}.");

    private bool RunsToTheEnd(InferenceContext context) => GoesOn() && (!context.Has(1) || Holds(context.Constant(1)));

    // Whether the body never changes the condition.
    private bool GoesOn()
    {
        var last = body.Outputs[0];
        while (last.Producer is { OpType: "Identity" or "Cast", Domain: "" } copy && copy.Input(0) is { } source)
            last = source;
        return last == body.Inputs[1] || Holds(ParameterRule.ConstantOf(last));
    }

    private static bool Holds(TensorData? condition) => condition is { Type: ElementType.Bool, ElementCount: 1 } && condition.Bytes.Span[0] != 0;

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Loop", [1, 11, 13, 16, 19, 21, 23, 24, 25], node => new Loop(node)) { Ranges = [new(0, 1, 4)], Types = TypeSets.All }];
    }
}
