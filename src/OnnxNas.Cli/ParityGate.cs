using OnnxNas.Cli.Commands;
using OnnxNas.Evaluation;
using OnnxNas.Evaluation.Isolation;
using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Cli;

/// <summary>
/// No ONNX file is reported as done before ONNX Runtime ran it and agreed with the supernet run one-hot in evaluation mode:
/// max |a−b| ≤ 1e-4·(1+|b|) for every output, on random inputs.
/// </summary>
internal static class ParityGate
{
    private const int Seed = 20_26;
    private const int Samples = 4;

    // Of a marker that ONNX Runtime runs as a function.
    private const int MostInputs = 1_000;

    // One for the whole process: it ends with it.
    private static readonly Lazy<IsolatedJobs?> Jobs = new(() => WorkerCommand.Program is { } program ? new(program, WorkerLimits.Default) : null);

    /// <summary>The largest absolute difference.</summary>
    /// <param name="marked">The supernet with the weights of the winner.</param>
    /// <param name="architecture">The winner.</param>
    /// <param name="winner">The winner as it is written.</param>
    /// <param name="limits">What the run may take; null for no limit.</param>
    /// <exception cref="TrainingException">The answers differ.</exception>
    /// <exception cref="ResourceLimitException">The run would leave the limits.</exception>
    public static double Require(MarkedModel marked, Architecture architecture, ModelMessage winner, RunLimits? limits = null)
    {
        var options = Loading(marked.Model);
        var ranges = InputRanges.Of(marked.Model, SupernetOperators.Registry);
        var feeds = limits is null
            ? RandomInputs.For(marked.Model, Seed, Samples, ranges: ranges)
            : RandomInputs.For(marked.Model, Seed, Samples, mostBytes: limits.Bytes, ranges: ranges);
        // First here, where sizes are checked before kernels start.
        var expected = RunOneHot(marked.Model, architecture, feeds, limits);
        RequireSurvival(winner, options, feeds, "the winner");
        using var session = new OnnxSession(winner, options);
        var actual = session.Run(feeds);
        var worst = 0.0;
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i]);
            if (!result.Passed)
                throw new TrainingException($"ONNX Runtime's answer for '{session.Outputs[i].Name}' differs from the supernet's: {result.Message}. The file was not written. This is a fault of the tool: please report it with the model.");
            worst = Math.Max(worst, result.MaxAbsDiff);
        }

        return worst;
    }

    /// <summary>Has ONNX Runtime load and run the model with all its candidates, so that one it will not run is refused before hours of training, not after.</summary>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime lacks an operator, or the opset is newer than it knows.</exception>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses the model for another reason.</exception>
    /// <exception cref="ResourceLimitException">What it computes of constants leaves the limits.</exception>
    public static void RequireLoadable(Model marked, RunLimits limits)
    {
        var constants = ConstantsOf(marked);
        constants.Require(limits);
        var options = new OnnxSessionOptions { GraphOptimization = constants.IsModest };
        var model = ForOracle(marked.Clone());
        // What it would ask for when it loads, it would ask for when it runs.
        RequireSurvival(OnnxSession.MessageOf(model), options, options.GraphOptimization ? Drawn(model) : null, $"'{Path.GetFileName(model.Path ?? "the model")}'");
        using var session = new OnnxSession(model, options);
    }

    /// <summary>ONNX Runtime with a model, which is brought to inference form for it; markers run by the functions that stand for them.</summary>
    public static OnnxSession Oracle(Model model)
    {
        var options = Loading(model);
        return new(ForOracle(model), options);
    }

    private static Model ForOracle(Model model)
    {
        MarkerFunctions.Unfold(model, MostInputs);
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

    private static IReadOnlyList<TensorData> RunOneHot(Model marked, Architecture architecture, IReadOnlyDictionary<string, TensorData> feeds, RunLimits? limits)
    {
        var supernet = marked.Clone();
        TrainingForm.Restore(supernet.Graph);
        ChoiceRewriter.Select(SearchSpace.Read(supernet), architecture);
        using var module = new GraphModule(supernet, SupernetOperators.Registry) { Limits = limits };
        return module.Evaluate(feeds);
    }
}
