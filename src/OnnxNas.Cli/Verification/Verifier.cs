using System.Runtime.InteropServices;
using OnnxNas.Cli.Reports;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Cli.Verification;

/// <summary>Runs a model in TorchSharp and compares: with the outputs of its test case folder, or else with ONNX Runtime.</summary>
internal static class Verifier
{
    // The tolerances of ONNX's own backend test runner.
    private const double CaseRelative = 1e-3;
    private const double CaseAbsolute = 1e-5;
    private const int Seed = 7;
    private const int Samples = 2;

    /// <summary>Verifies one path.</summary>
    /// <param name="path">A model, or a test case folder.</param>
    /// <param name="memory">Bytes for the tensors of a run; null for an amount in proportion to the model.</param>
    public static VerificationResult Verify(string path, long? memory = null)
    {
        try
        {
            return Directory.Exists(path) ? VerifyCase(path, memory) : VerifyModel(path, memory);
        }
        catch (UnsupportedOperatorException e)
        {
            return new(path, VerificationResult.UnsupportedStatus, null, e.Message);
        }
        catch (Exception e) when (e is OnnxNasException or IOException or UnauthorizedAccessException or ExternalException)
        {
            return new(path, VerificationResult.Error, null, e.Message.Split('\n')[0].Trim());
        }
#pragma warning disable CA1031 // Whatever one path throws must not cost the results of the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new(path, VerificationResult.Error, null, $"{e.GetType().Name}: {e.Message.Split('\n')[0].Trim()}");
        }
    }

    private static VerificationResult VerifyCase(string folder, long? memory)
    {
        var model = OnnxFile.Read(Path.Combine(folder, "model.onnx"));
        var sets = Directory.GetDirectories(folder, "test_data_set_*").Order(StringComparer.Ordinal).ToList();
        if (sets.Count == 0)
            throw new DataException($"'{folder}' has no test_data_set_* folder; a test case has model.onnx and test_data_set_0/input_0.pb, output_0.pb.");
        var inputs = model.Graph.Inputs.Where(i => i.Initializer is null).ToList();
        using var module = BuildModule(model, memory);
        var worst = 0.0;
        foreach (var set in sets)
        {
            var feeds = new Dictionary<string, TensorData>();
            for (var i = 0; i < inputs.Count && File.Exists(Numbered(set, "input", i)); i++)
                feeds[inputs[i].Name] = OnnxFile.ReadTensor(Numbered(set, "input", i));
            CaseMode.RequireDeterminate(model, feeds);
            module.Training = CaseMode.IsTraining(model, feeds);
            module.UpdateBuffers = false;
            var expected = Enumerable.Range(0, model.Graph.Outputs.Count).Select(i => OnnxFile.ReadTensor(Numbered(set, "output", i))).ToList();
            var result = Compare(folder, model.Graph, module.Evaluate(feeds), expected, CaseAbsolute, CaseRelative);
            if (result.Status != VerificationResult.Pass)
                return result;
            worst = Math.Max(worst, result.MaxAbsDiff ?? 0);
        }

        return new(folder, VerificationResult.Pass, worst, Noted(model));
    }

    private static VerificationResult VerifyModel(string path, long? memory)
    {
        var model = OnnxFile.Read(path);
        // The oracle executes functions by itself.
        var filed = model.Clone();
        using var module = BuildModule(model, memory);
        // First here, where sizes are checked before kernels start. ONNX Runtime may ask for much when it loads declared extents.
        var inputs = model.Graph.Inputs.Where(i => i.Initializer is null).Select(i => new TensorInfo(i.Name, i.Element, i.Shape));
        var (feeds, actual) = ParityGate.FirstThatRuns(RandomInputs.Likely(inputs, Seed, Samples, module.Limits!.BytesOfFeeds, InputRanges.Of(model, SupernetOperators.Registry)), module.Evaluate);
        using var session = ParityGate.Oracle(filed);
        var expected = session.Run(feeds);
        var result = Compare(path, model.Graph, actual, expected, Parity.Gate, Parity.Gate);
        if (result.Status == VerificationResult.Pass)
            return result with { Message = Noted(filed) };

        // The layout in memory changes nothing but the order in which sums are rounded.
        using var plain = BuildModule(model, memory, isChannelsLast: false);
        var second = Compare(path, model.Graph, plain.Evaluate(feeds), expected, Parity.Gate, Parity.Gate);
        return second.Status == VerificationResult.Pass ? second with { Message = $"agrees where sums are rounded in ONNX Runtime's order; with channels last in memory, as a search has them, {result.Message}" } : result;
    }

    private static GraphModule BuildModule(Model model, long? memory, bool isChannelsLast = true)
    {
        OperatorRegistry.RequireSupported(model);
        MarkedModel.Inline(model);
        ShapeInference.Run(model, SupernetOperators.Registry, strict: true);
        MarkerFunctions.Unfold(model);
        return new(model, SupernetOperators.Registry, isChannelsLast: isChannelsLast) { Limits = RunLimits.ForModel(model, memory) };
    }

    private static VerificationResult Compare(string path, Graph graph, IReadOnlyList<TensorData> actual, IReadOnlyList<TensorData> expected, double absolute, double relative)
    {
        var worst = 0.0;
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i], RoundingTolerance.Of(graph.Outputs[i]).Absolute(expected[i], absolute), relative);
            if (!result.Passed)
                return new(path, VerificationResult.Fail, result.MaxAbsDiff, $"output '{graph.Outputs[i].Name}': {result.Message}");
            worst = Math.Max(worst, result.MaxAbsDiff);
        }

        return new(path, VerificationResult.Pass, worst, "");
    }

    private static string Noted(Model model) => string.Join(' ', model.Findings.Select(f => $"{InspectionReport.Subjects(f.Subjects)}: {f.Message}"));

    private static string Numbered(string folder, string kind, int index) => Path.Combine(folder, $"{kind}_{index}.pb");
}
