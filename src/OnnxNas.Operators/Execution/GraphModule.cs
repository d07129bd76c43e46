using OnnxNas.Ir;
using OnnxNas.Operators.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// Executes a graph in TorchSharp, in training or evaluation mode. Holds the state that kernels do not: parameters, buffers
/// and constants, by ONNX value name. Not safe for use from several threads.
/// </summary>
public sealed class GraphModule : IDisposable
{
    private readonly ExecutionPlan plan;
    private readonly Dictionary<ExecutionPlan, Tensor?[]> fixedValues = [];
    private readonly OrderedDictionary<string, Parameter> parameters = [];
    private readonly OrderedDictionary<string, Tensor> buffers = [];
    private readonly Device device;
    private readonly bool isChannelsLast;

    /// <summary>Builds the module. The graph must not be edited while the module lives.</summary>
    /// <param name="model">The model whose main graph is run.</param>
    /// <param name="registry">The operators; <see cref="OperatorRegistry.Default"/> when null.</param>
    /// <param name="extraParameters">Names of float initializers that are trained wherever they are read.</param>
    /// <param name="device">Where tensors live; the CPU when null.</param>
    /// <param name="isChannelsLast">Whether images are stored with their channels innermost, which is faster; otherwise in the order of their axes.</param>
    /// <exception cref="UnsupportedOperatorException">A node has no operator here, or the opset is out of range.</exception>
    public GraphModule(Model model, OperatorRegistry? registry = null, IEnumerable<string>? extraParameters = null, Device? device = null, bool isChannelsLast = true)
    {
        ArgumentNullException.ThrowIfNull(model);
        TorchRuntime.EnsureLoaded();
        OperatorRegistry.RequireSupported(model);
        (this.device, this.isChannelsLast) = (device ?? CPU, isChannelsLast);
        plan = new(model.Graph, registry ?? OperatorRegistry.Default, model.OpsetVersions());
        var roles = ParameterRule.Roles(plan, model, registry ?? OperatorRegistry.Default, extraParameters ?? []);
        using var scope = NewDisposeScope();
        foreach (var part in plan.WithBodies())
        {
            var values = fixedValues[part] = new Tensor?[part.SlotCount];
            foreach (var value in part.Graph.Initializers)
                values[part.SlotOf(value)] = Fix(value, roles).DetachFromDisposeScope();
        }
    }

    /// <summary>Whether batch statistics and dropout are on.</summary>
    public bool Training { get; set; }

    /// <summary>Whether a training run moves the running statistics.</summary>
    public bool UpdateBuffers { get; set; } = true;

    /// <summary>What a run may take; null for no limit.</summary>
    public RunLimits? Limits { get; set; }

    /// <summary>Trained tensors by ONNX name, in the order of the file.</summary>
    public IReadOnlyDictionary<string, Parameter> Parameters => parameters;

    /// <summary>Running statistics by ONNX name, in the order of the file.</summary>
    public IReadOnlyDictionary<string, Tensor> Buffers => buffers;

    /// <summary>All that training changes: parameters, then running statistics.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State => [.. parameters.Select(p => KeyValuePair.Create(p.Key, (Tensor)p.Value)), .. buffers];

    /// <summary>
    /// Runs the graph. Every graph input without a default must be given; the caller keeps owning the feeds and gets the outputs,
    /// in the order of the graph.
    /// </summary>
    /// <exception cref="DataException">An input is missing or unknown.</exception>
    /// <exception cref="ResourceLimitException">The run would leave <see cref="Limits"/>.</exception>
    public IReadOnlyList<Tensor> Forward(IReadOnlyDictionary<string, Tensor> feeds)
    {
        ArgumentNullException.ThrowIfNull(feeds);
        var scope = CurrentDisposeScope;
        using var temporaries = NewDisposeScope();
        var guard = Limits is { } limits ? new RunGuard(limits) : null;
        using var run = new GraphRun(plan, fixedValues, Training, Training && UpdateBuffers ? MoveBuffers : null, guard);
        foreach (var (name, tensor) in feeds)
        {
            var input = plan.Graph.Find(name);
            if (input is null || !input.IsInput)
                throw new DataException($"The model has no input '{name}'; its inputs are {string.Join(", ", plan.Graph.Inputs.Select(i => i.Name))}.");
            guard?.Add(name, tensor);
            run.Feed(plan.SlotOf(input), isChannelsLast ? ChannelsLast.Of(tensor) : tensor);
        }

        foreach (var input in plan.Graph.Inputs)
        {
            if (input.Initializer is null && !feeds.ContainsKey(input.Name))
                throw new DataException($"Input '{input.Name}' is not given.");
        }

        Tensor[] outputs = [.. plan.OutputSlots.Select(run.Take)];
        guard?.RequireModest(outputs);
        return [.. outputs.Select(Attach)];

        Tensor Attach(Tensor tensor)
        {
            tensor.DetachFromDisposeScope();
            scope?.Attach(tensor);
            return tensor;
        }
    }

    /// <summary>Runs the graph on constants, without gradients.</summary>
    /// <inheritdoc cref="Forward(IReadOnlyDictionary{string, Tensor})"/>
    public IReadOnlyList<TensorData> Evaluate(IReadOnlyDictionary<string, TensorData> feeds)
    {
        ArgumentNullException.ThrowIfNull(feeds);
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return [.. Forward(feeds.ToDictionary(f => f.Key, f => f.Value.ToTorch(device))).Select(o => o.ToTensorData())];
    }

    /// <summary>Runs a graph with one input that must be given, and returns its first output.</summary>
    public Tensor Forward(Tensor x)
    {
        var input = plan.Graph.Inputs.Single(i => i.Initializer is null);
        var outputs = Forward(new Dictionary<string, Tensor> { [input.Name] = x });
        foreach (var other in outputs.Skip(1))
            other.Dispose();
        return outputs[0];
    }

    /// <summary>Writes parameters and buffers into the initializers of that name in <paramref name="graph"/>. Names it lacks are passed over.</summary>
    public void WriteBack(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (var (name, tensor) in State)
        {
            if (graph.Find(name) is { Initializer: not null } value)
                graph.SetInitializer(value, tensor.ToTensorData());
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in fixedValues.Values.SelectMany(v => v))
            tensor?.Dispose();
    }

    // The state of graphs that nodes hold is constant; only the main graph's initializers have names of their own to be written back by.
    private Tensor Fix(Value value, Dictionary<Value, ConstantRole> roles)
    {
        var tensor = value.Initializer!.ToTorch(device);
        if (isChannelsLast)
            tensor = ChannelsLast.Of(tensor);
        switch (roles.GetValueOrDefault(value, ConstantRole.Constant))
        {
            case ConstantRole.Parameter:
                return parameters[value.Name] = new Parameter(tensor);
            case ConstantRole.Buffer:
                return buffers[value.Name] = tensor;
            default:
                return tensor;
        }
    }

    private void MoveBuffers(ExecutionPlan.Step step, Tensor?[] outputs)
    {
        foreach (var (input, output) in step.Operator.Buffers)
        {
            var target = fixedValues[plan][step.Inputs[input]];
            if (target is null || output >= outputs.Length || outputs[output] is not { } next || !buffers.ContainsKey(plan.Names[step.Inputs[input]]))
                continue;
            using var off = no_grad();
            target.copy_(next);
        }
    }
}
