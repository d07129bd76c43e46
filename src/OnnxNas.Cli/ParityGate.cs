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

    /// <summary>The largest absolute difference.</summary>
    /// <param name="marked">The supernet with the weights of the winner.</param>
    /// <param name="architecture">The winner.</param>
    /// <param name="winner">The winner as it is written.</param>
    /// <exception cref="TrainingException">The answers differ.</exception>
    public static double Require(MarkedModel marked, Architecture architecture, ModelMessage winner)
    {
        RequireSurvival(winner, marked.Model, "the winner");
        using var session = new OnnxSession(winner);
        var feeds = RandomInputs.For(session, Seed, Samples);
        var actual = session.Run(feeds);
        var expected = RunOneHot(marked.Model, architecture, feeds);
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
    public static void RequireLoadable(Model marked)
    {
        var model = ForOracle(marked.Clone());
        RequireSurvival(OnnxSession.MessageOf(model), model, $"'{Path.GetFileName(model.Path ?? "the model")}'");
        using var session = new OnnxSession(model);
    }

    /// <summary>ONNX Runtime with a model, which is brought to inference form for it; markers run by the functions that stand for them.</summary>
    public static OnnxSession Oracle(Model model) => new(ForOracle(model));

    private static Model ForOracle(Model model)
    {
        if (model.Graph.Nodes.Any(Markers.IsMarker))
            MarkerFunctions.Stamp(model);
        new ToInferenceForm().Run(model);
        return model;
    }

    // In a process of its own first: ONNX Runtime may crash, and nothing could be said then.
    private static void RequireSurvival(ModelMessage message, Model declared, string name)
    {
        if (WorkerCommand.Program is not { } program)
            return;
        IReadOnlyDictionary<string, TensorData>? feeds = null;
        try
        {
            feeds = RandomInputs.For(declared, Seed, Samples);
        }
        catch (UnsupportedOperatorException)
        {
            // Inputs that cannot be drawn: the model is only loaded.
        }

        try
        {
            using var jobs = new IsolatedJobs(program, WorkerLimits.Default);
            RuntimeProbe.Require(jobs, message, feeds, name);
        }
        catch (WorkerException)
        {
            // No second process can be had here: the model has to be tried in this one.
        }
    }

    private static IReadOnlyList<TensorData> RunOneHot(Model marked, Architecture architecture, IReadOnlyDictionary<string, TensorData> feeds)
    {
        var supernet = marked.Clone();
        TrainingForm.Restore(supernet.Graph);
        ChoiceRewriter.Select(SearchSpace.Read(supernet), architecture);
        using var module = new GraphModule(supernet, SupernetOperators.Registry);
        return module.Evaluate(feeds);
    }
}
