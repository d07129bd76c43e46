using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary>
/// A marked model on its way to training: its choices are replaced one kind at a time, then it is built once and runs.
/// It works on a copy of the model; trained weights come back by <see cref="WriteBack"/>.
/// </summary>
public sealed class Supernet : ICheckpointed, IDisposable
{
    // Spaces of the literature have a dozen. Mixing is by a node that reads them all.
    private const int MostCandidates = 10_000;

    // Each may be computed within the one that reads it.
    private const int MostChoices = 1_000;

    private readonly Model model;
    private readonly SearchSpace space;
    private readonly Device device;
    private readonly List<ChoiceModule> modules = [];
    private readonly List<string> architectureNames = [];
    private readonly List<(string Name, Func<Tensor> Draw)> drawn = [];
    private GraphModule? module;
    private IReadOnlyList<Parameter>? weights;

    /// <summary>A supernet of a marked model.</summary>
    public Supernet(SearchSpace space, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(space);
        RequireFits(space);
        model = space.Model.Clone();
        TrainingDecision.Ensure(model, SupernetOperators.Registry);
        this.space = SearchSpace.Read(model);
        this.device = device ?? CPU;
    }

    /// <summary>Refuses a space that is too large to be searched.</summary>
    /// <exception cref="ChoiceException">A choice has too many candidates, or there are too many choices.</exception>
    public static void RequireFits(SearchSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        if (space.Choices.FirstOrDefault(c => c.Candidates.Count > MostCandidates) is { } wide)
            throw new ChoiceException($"Choice '{wide.Label}' has {wide.Candidates.Count} candidates; a supernet holds up to {MostCandidates} of one choice. Mark fewer, or several choices one after the other.");
        if (space.Choices.Count > MostChoices)
            throw new ChoiceException($"The model has {space.Choices.Count} choices; a supernet holds up to {MostChoices}. Mark fewer, or give choices that are to be decided alike one label.");
    }

    /// <summary>The executable graph; built on first use.</summary>
    /// <exception cref="ChoiceException">A choice has not been replaced.</exception>
    public GraphModule Module => module ??= Build();

    /// <summary>The trained tensors of the model: everything but the architecture.</summary>
    public IReadOnlyList<Parameter> Weights => weights ??= [.. Module.Parameters.Where(p => !architectureNames.Contains(p.Key)).Select(p => p.Value)];

    /// <summary>The trained tensors that decide the architecture.</summary>
    public IReadOnlyList<Parameter> ArchitectureParameters =>
        [.. architectureNames.Select(n => Module.Parameters[n]), .. modules.SelectMany(m => m.ArchitectureParameters)];

    /// <summary>Puts a module of your own in place of every LayerChoice; the factory is called once a label.</summary>
    public void ReplaceLayerChoice(Func<LayerChoice, ChoiceModule> factory) => ReplaceByModule(factory);

    /// <summary>Puts a module of your own in place of every InputChoice; the factory is called once a label.</summary>
    public void ReplaceInputChoice(Func<InputChoice, ChoiceModule> factory) => ReplaceByModule(factory);

    /// <summary>Builds a subgraph in place of every LayerChoice; called once a marker, returns the value to use instead.</summary>
    public void ReplaceLayerChoice(Func<LayerChoice, Node, Value> build) => ReplaceByGraph(build);

    /// <summary>Builds a subgraph in place of every InputChoice; called once a marker, returns the value to use instead.</summary>
    public void ReplaceInputChoice(Func<InputChoice, Node, Value> build) => ReplaceByGraph(build);

    /// <summary>
    /// A value of the graph that is drawn anew before every forward run: once a choice, however many markers read it.
    /// </summary>
    /// <param name="choice">The choice it is drawn for.</param>
    /// <param name="purpose">Tells it from other values of that choice.</param>
    /// <param name="type">Its element type and shape.</param>
    /// <param name="draw">Makes the tensor; the caller's dispose scope owns it.</param>
    public Value Drawn(Choice choice, string purpose, OnnxType type, Func<Tensor> draw)
    {
        ArgumentNullException.ThrowIfNull(choice);
        var name = $"{SupernetOperators.Domain}/{purpose}/{choice.Label}";
        if (model.Graph.Find(name) is { } known)
            return known;
        drawn.Add((name, draw));
        return model.Graph.AddInput(name, type);
    }

    /// <summary>
    /// An architecture parameter as a graph value, made on first use: one vector a label, read by all its markers.
    /// </summary>
    public Value ArchitectureParameter(Choice choice, Func<TensorData> initial)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return ArchitectureParameter($"alpha/{choice.Label}", initial);
    }

    /// <summary>An architecture parameter that belongs to no single choice, made on first use.</summary>
    public Value ArchitectureParameter(string purpose, Func<TensorData> initial)
    {
        ArgumentNullException.ThrowIfNull(initial);
        var name = $"{SupernetOperators.Domain}/{purpose}";
        if (!architectureNames.Contains(name))
        {
            model.Graph.AddInitializer(name, initial());
            architectureNames.Add(name);
        }

        return model.Graph.Find(name)!;
    }

    /// <summary>The architecture parameter of a choice.</summary>
    public Parameter ArchitectureTensor(Choice choice)
    {
        ArgumentNullException.ThrowIfNull(choice);
        return Module.Parameters[ArchitectureName(choice)];
    }

    /// <summary>The values of the architecture parameter of a choice.</summary>
    public double[] ArchitectureValues(Choice choice) => ArchitectureTensor(choice).ToTensorData().ToDoubles();

    /// <summary>Runs the supernet.</summary>
    public IReadOnlyList<Tensor> Forward(IReadOnlyDictionary<string, Tensor> feeds)
    {
        var built = Module;
        foreach (var choice in modules)
            choice.BeforeForward();
        return built.Forward(drawn.Count == 0 ? feeds : feeds.Concat(drawn.Select(d => KeyValuePair.Create(d.Name, d.Draw()))).ToDictionary());
    }

    /// <summary>Writes the trained weights and running statistics into <paramref name="target"/>, by name.</summary>
    public void WriteBack(Model target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Module.WriteBack(target.Graph);
    }

    /// <inheritdoc/>
    void ICheckpointed.Save(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (section, name, tensor) in State())
            state.Section(section).Put(name, tensor);
    }

    /// <inheritdoc/>
    void ICheckpointed.Restore(CheckpointState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        foreach (var (section, name, tensor) in State())
            state.Section(section).CopyInto(name, tensor);
    }

    /// <inheritdoc/>
    public void Dispose() => module?.Dispose();

    private IEnumerable<(string Section, string Name, Tensor Tensor)> State() =>
    [
        .. Module.State.Select(t => ("tensors", t.Key, t.Value)),
        .. modules.SelectMany((m, i) => m.ArchitectureParameters.Select((p, j) => ("modules", $"{i}/{j}", (Tensor)p))),
    ];

    private static string ArchitectureName(Choice choice) => $"{SupernetOperators.Domain}/alpha/{choice.Label}";

    private void ReplaceByGraph<TChoice>(Func<TChoice, Node, Value> build) where TChoice : Choice
    {
        RequireOpen();
        ChoiceRewriter.Replace(space, build);
    }

    private void ReplaceByModule<TChoice>(Func<TChoice, ChoiceModule> factory) where TChoice : Choice
    {
        RequireOpen();
        var known = new Dictionary<string, int>();
        ChoiceRewriter.Replace<TChoice>(space, (choice, marker) =>
        {
            if (!known.TryGetValue(choice.Label, out var index))
            {
                index = known[choice.Label] = modules.Count;
                modules.Add(factory(choice));
            }

            return model.Graph.Call(ModuleOperators.Name, marker.Inputs, marker.Output.Name + "/module", SupernetOperators.Domain, [Attr.Of("index", (long)index)], marker);
        });
    }

    private void RequireOpen()
    {
        if (module is not null)
            throw new InvalidOperationException("The supernet has run already; replace choices before its first use.");
    }

    private GraphModule Build()
    {
        var left = space.Choices.Where(c => c.Nodes.Any(n => !n.IsRemoved)).ToList();
        if (left.Count > 0)
        {
            throw new ChoiceException(
                $"{left.Count} choices are left unreplaced, the first is {left[0].Nodes[0]} (label '{left[0].Label}'). " +
                $"Call Replace{left[0].GetType().Name} before training.");
        }

        model.OpsetImports[SupernetOperators.Domain] = 1;
        return new GraphModule(model, SupernetOperators.With(modules), architectureNames, device);
    }
}
