using OnnxNas.Cli.Commands;
using OnnxNas.Evaluation;
using OnnxNas.Evaluation.Isolation;
using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;
using ExternalException = System.Runtime.InteropServices.ExternalException;

namespace OnnxNas.Cli;

/// <summary>
/// No ONNX file is reported as done before ONNX Runtime ran it and agreed with the supernet run one-hot in evaluation mode:
/// max |a−b| ≤ 1e-4·(1+|b|) for every output, and what <see cref="RoundingTolerance"/> adds; on random inputs, and on samples where there are some.
/// </summary>
internal static class ParityGate
{
    private const int Seed = 20_26;
    private const int Samples = 4;

    // One for the whole process: it ends with it.
    private static readonly Lazy<IsolatedJobs?> Jobs = new(() => WorkerCommand.Program is { } program ? new(program, WorkerLimits.Default) : null);

    /// <summary>The largest absolute difference.</summary>
    /// <param name="marked">The supernet with the weights of the winner.</param>
    /// <param name="architecture">The winner.</param>
    /// <param name="winner">The winner as it is written.</param>
    /// <param name="limits">What the run may take; null for no limit.</param>
    /// <param name="samples">Some samples of the data, by input; null where there is none.</param>
    /// <exception cref="ParityException">The answers differ.</exception>
    /// <exception cref="ResourceLimitException">The run would leave the limits.</exception>
    public static double Require(MarkedModel marked, Architecture architecture, ModelMessage winner, RunLimits? limits = null, IReadOnlyDictionary<string, TensorData>? samples = null)
    {
        var options = Loading(marked.Model);
        var tolerances = Tolerances(marked.Model, architecture);
        // First here, where sizes are checked before kernels start.
        (IReadOnlyDictionary<string, TensorData> Feeds, IReadOnlyList<TensorData> Outputs)[] runs = samples is null
            ? [FirstThatRuns(Likely(marked.Model, limits), RunOneHot)]
            : [.. new[] { samples, RandomInputs.Like(samples, Seed) }.Select(feeds => (feeds, RunOneHot(feeds)))];
        RequireSurvival(winner, options, runs[0].Feeds, "the winner");
        using var session = new OnnxSession(winner, options);
        return runs.Max(run => Compare(session, session.Run(run.Feeds), run.Outputs, tolerances));

        IReadOnlyList<TensorData> RunOneHot(IReadOnlyDictionary<string, TensorData> feeds) => ParityGate.RunOneHot(marked.Model, architecture, feeds, limits);
    }

    /// <summary>The first feeds that a model runs with, and its answer. Where there is a choice of feeds, inputs have no shape.</summary>
    /// <exception cref="DataException">It runs with none of several.</exception>
    public static (IReadOnlyDictionary<string, TensorData> Feeds, IReadOnlyList<TensorData> Outputs) FirstThatRuns(
        IReadOnlyList<IReadOnlyDictionary<string, TensorData>> likely, Func<IReadOnlyDictionary<string, TensorData>, IReadOnlyList<TensorData>> run)
    {
        foreach (var feeds in likely)
        {
            try
            {
                return (feeds, run(feeds));
            }
            catch (Exception e) when (likely.Count > 1 && e is OnnxNasException or ExternalException)
            {
                // Not these.
            }
        }

        throw new DataException("An input has no shape, and the model runs with none of the shapes that were tried. Declare the shapes of its inputs.");
    }

    private static IReadOnlyList<IReadOnlyDictionary<string, TensorData>> Likely(Model model, RunLimits? limits)
    {
        var inputs = model.Graph.Inputs.Where(v => v.Initializer is null).Select(v => new TensorInfo(v.Name, v.Element, v.Shape));
        var ranges = InputRanges.Of(model, SupernetOperators.Registry);
        return limits is null ? RandomInputs.Likely(inputs, Seed, Samples, ranges: ranges) : RandomInputs.Likely(inputs, Seed, Samples, limits.BytesOfFeeds, ranges);
    }

    private static double Compare(OnnxSession session, IReadOnlyList<TensorData> actual, IReadOnlyList<TensorData> expected, IReadOnlyList<RoundingTolerance> tolerances)
    {
        var worst = 0.0;
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i], tolerances[i].Absolute(expected[i]));
            if (!result.Passed)
                throw new ParityException($"ONNX Runtime's answer for '{session.Outputs[i].Name}' differs from the supernet's: {result.Message}. The file was not written. This is a fault of the tool: please report it with the model.");
            worst = Math.Max(worst, result.MaxAbsDiff);
        }

        return worst;
    }

    /// <summary>Has ONNX Runtime load and run the model with all its candidates, so that one it will not run is refused before hours of training, not after.</summary>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime lacks an operator, or the opset is newer than it knows.</exception>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses the model for another reason.</exception>
    /// <exception cref="ResourceLimitException">What it computes of constants, one node for one sample, or a run on a few samples leaves the limits.</exception>
    public static void RequireLoadable(MarkedModel marked, InputExtents extents, RunLimits limits)
    {
        var constants = ConstantsOf(marked.Model);
        constants.Require(limits);
        RequireWithin(limits, marked, extents);
        var options = new OnnxSessionOptions { GraphOptimization = constants.IsModest };
        var model = ForOracle(marked.Model.Clone());
        // What it would ask for when it loads, it would ask for when it runs.
        RequireSurvival(OnnxSession.MessageOf(model), options, options.GraphOptimization ? Drawn(model) : null, $"'{Path.GetFileName(model.Path ?? "the model")}'");
        using var session = new OnnxSession(model, options);
    }

    // ONNX Runtime takes whatever a run asks for.
    private static void RequireWithin(RunLimits limits, MarkedModel marked, InputExtents extents)
    {
        var sample = marked.Model.Clone();
        extents.Declare(sample.Graph);
        MarkerFunctions.Remove(sample);
        if (LargestNode.Require(sample, SupernetOperators.Registry, limits) || Drawn(marked.Model) is not { } feeds)
            return;
        foreach (var architecture in Rehearsal.Architectures(marked.Space))
        {
            try
            {
                RunOneHot(marked.Model, architecture, feeds, limits);
            }
            catch (Exception e) when (e is not ResourceLimitException && e is OnnxNasException or ExternalException)
            {
                // Not about size: the rehearsal says at which stage it fails.
            }
        }
    }

    /// <summary>ONNX Runtime with a model, which is brought to inference form for it; markers run by the functions that stand for them.</summary>
    public static OnnxSession Oracle(Model model)
    {
        var options = Loading(model);
        // ONNX Runtime gives a body an empty input for an argument that a call leaves out, which its kernels do not expect.
        if (LeavesOutArguments(model))
            MarkedModel.Inline(model);
        return new(ForOracle(model), options);
    }

    private static bool LeavesOutArguments(Model model)
    {
        var arguments = model.Functions.ToDictionary(f => (f.Domain, f.Name, f.Overload), f => f.Body.Inputs.Count);
        return arguments.Count > 0 && model.Functions.Select(f => f.Body).Prepend(model.Graph).Any(HasOne);

        bool HasOne(Graph graph) => graph.Nodes.Any(n => n.Subgraphs.Any(HasOne)
            || (arguments.TryGetValue((n.Domain, n.OpType, n.Overload), out var count) && (n.Inputs.Count < count || n.Inputs.Contains(null))));
    }

    private static Model ForOracle(Model model)
    {
        // We run what outputs need. ONNX Runtime runs the rest as well, whatever that takes.
        new RemoveDeadNodes().Run(model);
        MarkerFunctions.Unfold(model);
        if (model.Graph.Nodes.Any(Markers.IsMarker))
            MarkerFunctions.Stamp(model);
        new ToInferenceForm().Run(model);
        // ONNX Runtime looks at every function, called or not.
        new RemoveDeadFunctions().Run(model);
        return model;
    }

    // In a process of its own first: ONNX Runtime may crash, and nothing could be said then.
    private static void RequireSurvival(ModelMessage message, OnnxSessionOptions options, IReadOnlyDictionary<string, TensorData>? feeds, string name)
    {
        if (Jobs.Value is not { } jobs)
            return;
        try
        {
            lock (Jobs)
                RuntimeProbe.Require(jobs, message, feeds, name, options);
        }
        catch (WorkerException)
        {
            // No second process can be had here: the model has to be tried in this one.
        }
    }

    // Null for inputs that cannot be drawn: the model is only loaded then.
    private static IReadOnlyDictionary<string, TensorData>? Drawn(Model model)
    {
        try
        {
            return RandomInputs.For(model, Seed, Samples, ranges: InputRanges.Of(model, SupernetOperators.Registry));
        }
        catch (OnnxNasException e) when (e is UnsupportedOperatorException or ResourceLimitException)
        {
            return null;
        }
    }

    // ONNX Runtime computes what is constant when it loads a model, whatever it takes.
    private static OnnxSessionOptions Loading(Model model) => new() { GraphOptimization = ConstantsOf(model).IsModest };

    private static ConstantWork ConstantsOf(Model model)
    {
        var plain = model.Clone();
        MarkerFunctions.Remove(plain);
        return ConstantWork.Of(plain, SupernetOperators.Registry);
    }

    // Of the nodes that the architecture keeps: others round nothing.
    private static IReadOnlyList<RoundingTolerance> Tolerances(Model marked, Architecture architecture)
    {
        var decided = marked.Clone();
        TrainingForm.Restore(decided.Graph);
        ChoiceRewriter.Decide(SearchSpace.Read(decided), architecture);
        return [.. decided.Graph.Outputs.Select(RoundingTolerance.Of)];
    }

    private static IReadOnlyList<TensorData> RunOneHot(Model marked, Architecture architecture, IReadOnlyDictionary<string, TensorData> feeds, RunLimits? limits)
    {
        var supernet = marked.Clone();
        TrainingForm.Restore(supernet.Graph);
        ChoiceRewriter.Select(SearchSpace.Read(supernet), architecture);
        using var module = new GraphModule(supernet, SupernetOperators.Registry) { Limits = limits };
        return module.Evaluate(feeds);
    }
}
