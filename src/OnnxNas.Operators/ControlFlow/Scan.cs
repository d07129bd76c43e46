using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.ControlFlow;

/// <summary>
/// Scan, all versions: runs <c>body</c> (states, elements of scan inputs to states, elements of scan outputs) for each place along the scan
/// axes, to the last states and the scan outputs. Version 8 does so for each entry of a batch, whose axis comes first. Gradients flow
/// through all iterations.
/// </summary>
internal sealed class Scan : ControlFlowOperator
{
    private const string Body = "body";

    private readonly Graph body;
    private readonly int first; // Index of the first state among the inputs.
    private readonly int states;
    private readonly int scans;
    private readonly int outputs;
    private readonly bool batched;
    private readonly long[] inputAxes;
    private readonly long[] inputDirections;
    private readonly long[] outputAxes;
    private readonly long[] outputDirections;

    private Scan(NodeReader node)
    {
        body = node.Attribute(Body)?.AsGraph() ?? throw node.Malformed("attribute 'body' is missing; the operator needs it.");
        batched = node.Version < 9;
        first = batched ? 1 : 0;
        if (batched && node.HasInput(0))
            throw node.Unsupported("sequence_lens is not supported; omit it, or use version 9.");
        var wanted = node.Int("num_scan_inputs");
        if (wanted < 1 || wanted > node.InputCount - first)
            throw node.Malformed($"num_scan_inputs is {wanted}; the node has {node.InputCount - first} inputs to scan or to carry.");
        scans = (int)wanted;
        for (var i = first; i < node.InputCount; i++)
        {
            if (!node.HasInput(i))
                throw node.Malformed($"input {i} is missing; every state and every scan input must be given.");
        }

        states = node.InputCount - first - scans;
        outputs = body.Outputs.Count - states;
        if (body.Inputs.Count != states + scans || outputs < 0 || node.Node.Outputs.Count != states + outputs)
            throw node.Malformed($"body has {body.Inputs.Count} inputs and {body.Outputs.Count} outputs; it must have {states + scans} and {node.Node.Outputs.Count}.");
        inputAxes = List(batched ? "" : "scan_input_axes", scans);
        inputDirections = List(batched ? "directions" : "scan_input_directions", scans);
        outputAxes = List(batched ? "" : "scan_output_axes", outputs);
        outputDirections = List(batched ? "" : "scan_output_directions", outputs);

        long[] List(string name, int count)
        {
            var given = name.Length == 0 ? null : node.Ints(name);
            return given is null || given.Length == count ? given ?? new long[count] : throw node.Malformed($"{name} has {given.Length} entries for {count} tensors.");
        }
    }

    public override IReadOnlyList<OnnxType?> BodyInputs(InferenceContext context, Graph body)
    {
        var result = new List<OnnxType?>();
        for (var i = 0; i < states + scans; i++)
        {
            var (type, scan) = (context.Input(first + i).Type, i - states);
            result.Add(BodyTypes.Reshaped(type, s =>
            {
                var own = batched ? s.Skip(1) : s;
                return scan < 0 ? own : Without(own.ToList(), (int)inputAxes[scan]);
            }));
        }

        return result;
    }

    public override Dim? Repetitions(InferenceContext context) =>
        Extents(context) is var (batch, steps) && !steps.IsUnknown && !(batched && batch.IsUnknown) ? batched ? batch * steps : steps : null;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var (batch, steps) = Extents(context);
        var result = new List<InferredValue?>();
        for (var i = 0; i < states + outputs; i++)
        {
            var scan = i - states;
            result.Add(new(BodyTypes.Reshaped(body.Outputs[i].Type, s =>
            {
                var own = s.ToList();
                if (scan >= 0)
                    own.Insert(Nn.Rules.Axis(outputAxes[scan], own.Count + 1, $"scan output {scan}"), steps);
                return batched ? own.Prepend(batch) : own;
            })));
        }

        return result;
    }

    private (Dim Batch, Dim Steps) Extents(InferenceContext context)
    {
        var (batch, steps) = (Dim.Unknown(), Dim.Unknown());
        for (var i = 0; i < scans; i++)
        {
            if (context.Shape(first + states + i) is not { } x)
                continue;
            var own = x.Skip(batched ? 1 : 0).ToList();
            if (own.Count == 0)
                throw context.Error($"scan input {i} {x} has no axis to scan along.");
            steps = own[Nn.Rules.Axis(inputAxes[i], own.Count, $"scan input {i}")];
            batch = x[0];
        }

        return (batch, steps);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, BodyRunner run, RunContext context)
    {
        Tensor[] given = [.. inputs.Skip(first).Select(v => v!)];
        if (!batched)
            return One(given, run);
        var entries = given.Select(v => v.dim() == 0 ? 0 : v.shape[0]).Distinct().ToList();
        if (entries is not [var count and > 0])
            throw new ShapeInferenceException("every input must have one and the same, non-empty batch axis first.");
        var parts = Enumerable.Range(0, (int)count).Select(b => One([.. given.Select(v => v.select(0, b))], run)).ToList();
        return [.. Enumerable.Range(0, states + outputs).Select(i => stack([.. parts.Select(p => p[i])], 0))];
    }

    private Tensor[] One(Tensor[] given, BodyRunner run)
    {
        Tensor[] carried = given[..states];
        int[] axes = [.. Enumerable.Range(0, scans).Select(i => Nn.Rules.Axis(inputAxes[i], (int)given[states + i].dim(), $"scan input {i}"))];
        var lengths = Enumerable.Range(0, scans).Select(i => given[states + i].shape[axes[i]]).Distinct().ToList();
        if (lengths is not [var steps])
            throw new ShapeInferenceException($"scan inputs have {string.Join(" and ", lengths)} places along their axes; they must agree.");
        var made = Enumerable.Range(0, outputs).Select(_ => new List<Tensor>()).ToList();
        for (long step = 0; step < steps; step++)
        {
            var elements = Enumerable.Range(0, scans).Select(i => given[states + i].select(axes[i], inputDirections[i] == 0 ? step : steps - 1 - step));
            var results = run(Body, [.. carried, .. elements]);
            carried = [.. results.Take(states)];
            for (var i = 0; i < outputs; i++)
                made[i].Add(results[states + i]);
        }

        return [.. carried, .. made.Select(Join)];
    }

    private Tensor Join(List<Tensor> parts, int index)
    {
        if (parts.Count == 0)
            throw new ShapeInferenceException("there is nothing to scan, so that the shapes of the scan outputs are not known.");
        if (parts.Any(p => !p.shape.SequenceEqual(parts[0].shape)))
            throw new ShapeInferenceException($"scan output {index} has elements of several shapes; they are stacked.");
        if (outputDirections[index] != 0)
            parts.Reverse();
        return stack(parts, Nn.Rules.Axis(outputAxes[index], (int)parts[0].dim() + 1, $"scan output {index}"));
    }

    private static List<Dim> Without(List<Dim> dims, int axis)
    {
        if (dims.Count > 0)
            dims.RemoveAt(Nn.Rules.Axis(axis, dims.Count, "scan input"));
        return dims;
    }


    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Scan", [8, 9, 11, 16, 19, 21, 23, 24, 25], node => new Scan(node)) { Types = TypeSets.All }];
    }
}
