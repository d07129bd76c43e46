using System.Runtime.InteropServices;
using OnnxNas.Ir;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// One forward run over a plan. Values are computed when needed and disposed after their last reader; a value that only
/// unasked inputs of lazy steps would have read is never computed.
/// </summary>
internal sealed class GraphRun : IDisposable
{
    private readonly ExecutionPlan plan;
    private readonly IReadOnlyDictionary<ExecutionPlan, Tensor?[]> fixedValues;
    private readonly bool training;
    private readonly Action<ExecutionPlan.Step, Tensor?[]>? afterStep;
    private readonly Tensor?[] values;
    private readonly bool[] owned;
    private readonly int[] demand;
    private readonly bool[] finished;
    private readonly RunGuard? guard;

    public GraphRun(ExecutionPlan plan, IReadOnlyDictionary<ExecutionPlan, Tensor?[]> fixedValues, bool training, Action<ExecutionPlan.Step, Tensor?[]>? afterStep, RunGuard? guard)
    {
        this.plan = plan;
        this.fixedValues = fixedValues;
        this.training = training;
        this.afterStep = afterStep;
        this.guard = guard;
        values = (Tensor?[])fixedValues[plan].Clone();
        owned = new bool[values.Length];
        demand = (int[])plan.Demand.Clone();
        finished = new bool[plan.Steps.Length];
    }

    /// <summary>Gives a graph input; the caller keeps owning the tensor.</summary>
    public void Feed(int slot, Tensor tensor) => values[slot] = tensor;

    /// <summary>Computes a graph output and hands it over; the caller owns the handle.</summary>
    public Tensor Take(int slot)
    {
        var value = Get(slot);
        demand[slot]--;
        if (!owned[slot] || demand[slot] > 0)
            return value.alias();
        owned[slot] = false;
        values[slot] = null;
        return value;
    }

    public void Dispose()
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (owned[i])
                values[i]?.Dispose();
        }
    }

    private Tensor Get(int slot)
    {
        if (values[slot] is null)
        {
            foreach (var step in plan.StepsFor(slot))
            {
                if (!finished[step])
                    Execute(step);
            }
        }

        return values[slot] ?? throw new InvalidOperationException($"Value '{plan.Names[slot]}' has no maker and was not given.");
    }

    private void Execute(int index)
    {
        var step = plan.Steps[index];
        var context = new RunContext(training, step.Outputs.Length);
        var live = guard?.Live ?? 0;
        using (var scope = NewDisposeScope())
        {
            var outputs = Compute(step, context);
            // What the kernel made on its way, bodies of loops included, goes with the scope.
            if (guard is not null && step.Operator is not LazyOperator)
                guard.Live = live;
            afterStep?.Invoke(step, outputs);
            for (var i = 0; i < step.Outputs.Length; i++)
            {
                if (step.Outputs[i] is var slot and >= 0 && demand[slot] > 0)
                    Store(slot, step, i < outputs.Length ? outputs[i] : null);
            }
        }

        finished[index] = true;
        foreach (var input in step.Inputs)
        {
            if (input >= 0)
                Release(input);
        }
    }

    private Tensor?[] Compute(ExecutionPlan.Step step, RunContext context)
    {
        if (step.Operator is LazyOperator lazy)
            return lazy.Run(new LazyInputs(this, step), context);
        var inputs = Gather(step);
        try
        {
            guard?.Enter(step.Node, step.Operator, inputs);
            return step.Operator is ControlFlowOperator flow
                ? flow.Run(inputs[..step.Node.Inputs.Count], (body, feeds) => RunBody(step.Bodies[body], feeds), context)
                : step.Operator.Run(inputs, context);
        }
        catch (OnnxNasException e) when (e.Message.StartsWith(step.Node.ToString(), StringComparison.Ordinal))
        {
            throw;
        }
        catch (UnsupportedOperatorException e)
        {
            throw new UnsupportedOperatorException($"{step.Node}: {e.Message}", e);
        }
        catch (Exception e) when (e is ShapeInferenceException or ExternalException)
        {
            var shapes = string.Join(", ", inputs.Select(i => i is null ? "none" : $"[{string.Join(',', i.shape)}]"));
            throw new ShapeInferenceException($"{step.Node} cannot take inputs of shapes {shapes}: {e.Message.Split('\n')[0]}", e);
        }
    }

    private IReadOnlyList<Tensor> RunBody(ExecutionPlan body, IReadOnlyList<Tensor> feeds)
    {
        using var inner = new GraphRun(body, fixedValues, training, null, guard);
        if (feeds.Count != body.Graph.Inputs.Count)
            throw new ModelFormatException($"graph '{body.Graph.Name}' has {body.Graph.Inputs.Count} inputs, its node gives {feeds.Count}.");
        for (var i = 0; i < feeds.Count; i++)
            inner.Feed(body.SlotOf(body.Graph.Inputs[i]), feeds[i]);
        foreach (var value in body.Captured)
            inner.Feed(body.SlotOf(value), Get(plan.SlotOf(value)));
        return [.. body.OutputSlots.Select(s => Scoped(inner.Take(s)))];
    }

    private static Tensor Scoped(Tensor tensor)
    {
        tensor.DetachFromDisposeScope();
        CurrentDisposeScope?.Attach(tensor);
        return tensor;
    }

    private Tensor?[] Gather(ExecutionPlan.Step step)
    {
        var inputs = new Tensor?[step.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (step.Inputs[i] is var slot and >= 0)
                inputs[i] = values[slot] ?? throw new InvalidOperationException($"{step.Node}: input '{plan.Names[slot]}' has no maker and was not given.");
        }

        return inputs;
    }

    private void Store(int slot, ExecutionPlan.Step step, Tensor? tensor)
    {
        if (tensor is null)
            throw new UnsupportedOperatorException($"{step.Node}: output '{plan.Names[slot]}' is used, but the operator does not compute it here.");
        // An operator may hand an input or a tensor it keeps through; the slot needs a handle of its own, since each is disposed after its last reader.
        var passedThrough = step.Operator is LazyOperator || Array.Exists(step.Inputs, i => i >= 0 && ReferenceEquals(values[i], tensor));
        var handle = passedThrough ? tensor.alias() : tensor;
        values[slot] = handle.DetachFromDisposeScope();
        owned[slot] = true;
        if (guard is not null && !passedThrough)
            guard.Live += RunGuard.BytesOf(handle);
    }

    // One reader of the slot is done, or will never ask.
    private void Release(int slot)
    {
        var open = new Stack<int>([slot]);
        while (open.TryPop(out var next))
        {
            if (--demand[next] > 0)
                continue;
            if (owned[next])
            {
                if (guard is not null)
                    guard.Live = Math.Max(0, guard.Live - RunGuard.BytesOf(values[next]!));
                values[next]!.Dispose();
                values[next] = null;
                owned[next] = false;
            }
            else if (plan.Makers[next] is var maker and >= 0 && !finished[maker] && Array.TrueForAll(plan.Steps[maker].Outputs, o => o < 0 || demand[o] <= 0))
            {
                finished[maker] = true;
                foreach (var input in plan.Steps[maker].Inputs)
                {
                    if (input >= 0)
                        open.Push(input);
                }
            }
        }
    }

    private sealed class LazyInputs(GraphRun run, ExecutionPlan.Step step) : ILazyInputs
    {
        public int Count => step.Inputs.Length;

        public Tensor this[int index]
        {
            get
            {
                var slot = step.Inputs[index];
                return slot >= 0 ? run.Get(slot) : throw new ArgumentOutOfRangeException(nameof(index), index, $"{step.Node}: the input is omitted.");
            }
        }
    }
}
