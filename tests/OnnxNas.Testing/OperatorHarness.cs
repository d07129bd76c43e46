using System.Runtime.InteropServices;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Testing;

/// <summary>
/// Runs a row of operator data in every way that can go wrong: against ONNX Runtime without optimisation, with weights as graph inputs and as
/// initializers; inferred against actual types; through a file and back; and its gradients against central differences.
/// </summary>
public static class OperatorHarness
{
    private const double Step = 1e-6;
    private const double GradientAbsolute = 1e-5;
    private const double GradientRelative = 1e-3;

    // Central differences cost two runs per element; of larger inputs a random part is checked.
    private const int GradientElements = 60;

    /// <summary>Makes all checks of a row.</summary>
    /// <exception cref="AssertFailedException">A check fails; the message says which.</exception>
    public static void Check(OperatorCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Refusal is not null)
        {
            IsRefused(row, row.Refusal);
            return;
        }

        foreach (var weightsFixed in row.Weights.Count > 0 ? [false, true] : new[] { false })
        {
            var model = OperatorModel.Build(row, weightsFixed);
            var actual = Run(row, model);
            AgreesWithOnnxRuntime(row, model, actual, weightsFixed);
            InferenceAgrees(row, model, actual);
            SurvivesTheFile(row, model, actual);
        }

        var moving = CheckGradients(row);
        var gradient = OperatorRegistry.Default.Definitions.Single(d => (d.Domain, d.Name) == (row.Domain, row.OpType)).Gradient;
        Assert.IsTrue(gradient.Kind == GradientKind.Derivative || moving.Count == 0, $"{row} has a derivative, which the operator denies: '{gradient.Reason}'.");
    }

    /// <summary>Compares gradients with central differences; gives the inputs that have one other than 0.</summary>
    /// <exception cref="AssertFailedException">They differ.</exception>
    public static IReadOnlyList<int> CheckGradients(OperatorCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Enumerable.Range(0, row.Inputs.Count).Any(i => ChecksGradient(row, i)) ? GradientsAgree(row) : [];
    }

    /// <summary>Whether <see cref="Check"/> compares the gradient of an input with central differences.</summary>
    public static bool ChecksGradient(OperatorCase row, int input)
    {
        ArgumentNullException.ThrowIfNull(row);
        // 16-bit numbers are too coarse for central differences.
        var coarse = row.Inputs.Any(i => i?.Type is ElementType.Float16 or ElementType.BFloat16);
        return row is { Refusal: null, NoGradients: null } && !coarse && input < row.Inputs.Count && row.Inputs[input] is { Type: ElementType.Float32 or ElementType.Float64, ElementCount: > 0 }
            && !row.Constants.Contains(input) && !row.NoGradient.ContainsKey(input);
    }

    /// <summary>Runs a row in TorchSharp alone, with its weights as graph inputs.</summary>
    public static IReadOnlyList<TensorData> Run(OperatorCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return Run(row, OperatorModel.Build(row, weightsFixed: false));
    }

    // The kernel is asked even where the shape rule refuses: it may meet shapes that no rule could know, and must survive them.
    private static void IsRefused(OperatorCase row, string refusal)
    {
        var model = OperatorModel.Build(row, weightsFixed: true);
        var ruled = Error(() => OperatorModel.Infer(row, model, symbolic: false));
        var run = Error(() => Run(row, model));
        var said = ruled ?? run;
        Assert.IsNotNull(said, $"{row} must be refused ('{refusal}'), but ran.");
        Assert.IsInstanceOfType<OnnxNasException>(said, $"{row} is refused by libtorch, not by a check: {said.Message}");
        Assert.Contains(refusal, said.Message, $"{row} is refused for another reason.");
    }

    private static Exception? Error(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e) when (e is OnnxNasException or ExternalException)
        {
            return e;
        }
    }

    private static IReadOnlyList<TensorData> Run(OperatorCase row, Model model)
    {
        using var scope = NewDisposeScope();
        using var module = new GraphModule(model) { Training = row.Training, UpdateBuffers = false };
        var feeds = OperatorModel.Feeds(row, model).ToDictionary(f => f.Key, f => f.Value.ToTorch());
        return [.. module.Forward(feeds).Select(t => t.ToTensorData())];
    }

    private static void AgreesWithOnnxRuntime(OperatorCase row, Model model, IReadOnlyList<TensorData> actual, bool weightsFixed)
    {
        if (row.Training || row.NoOracle is not null)
            return;
        using var session = new OnnxSession(OnnxFile.ToBytes(OperatorModel.ForOracle(row, model)), new OnnxSessionOptions { GraphOptimization = false, Threads = 1 });
        var expected = session.Run(OperatorModel.Feeds(row, model));
        for (var i = 0; i < expected.Count; i++)
        {
            var result = Parity.Compare(actual[i], expected[i], row.Absolute, row.Relative);
            Assert.IsTrue(result.Passed, $"{row}: output {i} differs from ONNX Runtime (weights as {(weightsFixed ? "initializers" : "inputs")}): {result.Message}");
        }
    }

    private static void InferenceAgrees(OperatorCase row, Model model, IReadOnlyList<TensorData> actual)
    {
        foreach (var symbolic in new[] { false, true })
        {
            var inferred = OperatorModel.Infer(row, model, symbolic);
            for (var i = 0; i < actual.Count; i++)
            {
                var what = $"{row}: output {i} is {actual[i]}, inferred {(symbolic ? "with a symbolic first extent " : "")}as {inferred[i]?.Type}";
                Assert.IsTrue(i < inferred.Count && inferred[i] is not null, what);
                Assert.AreEqual(actual[i].Type, inferred[i]!.Element, what);
                var shape = inferred[i]!.Shape;
                Assert.IsTrue(shape is not null || row.DynamicShape, what);
                if (shape is null)
                    continue;
                var extents = shape.Select(d => d.Evaluate(OperatorModel.Symbols(row))).ToArray();
                Assert.IsTrue(extents.Length == actual[i].Dims.Count && extents.Zip(actual[i].Dims).All(p => p.First is null || p.First == p.Second), what);
                Assert.IsTrue(symbolic || row.DynamicShape || extents.All(e => e is not null), what);
                if (inferred[i]!.Elements is { } elements)
                {
                    var known = elements.Select(e => e.Evaluate(OperatorModel.Symbols(row)));
                    Assert.IsTrue(known.Zip(actual[i].ToInt64s()).All(p => p.First is null || p.First == p.Second), $"{what}, elements {string.Join(',', elements)}");
                }
            }
        }
    }

    private static void SurvivesTheFile(OperatorCase row, Model model, IReadOnlyList<TensorData> actual)
    {
        var bytes = OnnxFile.ToBytes(model);
        var again = OnnxFile.Read(bytes);
        CollectionAssert.AreEqual(bytes, OnnxFile.ToBytes(again), $"{row}: a second writing gives other bytes.");
        if (row.Training)
            return;
        var reread = Run(row, again);
        for (var i = 0; i < actual.Count; i++)
            Assert.IsTrue(actual[i].Bytes.Span.SequenceEqual(reread[i].Bytes.Span), $"{row}: output {i} is another after writing and reading.");
    }

    private static List<int> GradientsAgree(OperatorCase row)
    {
        var wide = row with { Inputs = [.. row.Inputs.Select(i => i?.Type == ElementType.Float32 ? i.As(ElementType.Float64) : i)] };
        var model = OperatorModel.Build(wide, weightsFixed: false);
        using var scope = NewDisposeScope();
        using var module = new GraphModule(model) { Training = row.Training, UpdateBuffers = false };
        var feeds = OperatorModel.Feeds(wide, model).ToDictionary(f => f.Key, f => f.Value.ToTorch());
        var projections = new List<Tensor>();
        var checkedNames = feeds.Keys.Where(name => ChecksGradient(row, OperatorModel.IndexOf(name))).ToList();
        foreach (var name in checkedNames)
            feeds[name].requires_grad = true;
        var loss = Project();
        if (loss.requires_grad)
            loss.backward();
        using var still = no_grad();
        return [.. checkedNames.Where(name => CheckInput(row, feeds[name], name, () => Project().item<double>())).Select(OperatorModel.IndexOf)];

        Tensor Project()
        {
            var sum = zeros(1, ScalarType.Float64);
            var outputs = module.Forward(feeds).Where(o => o.is_floating_point()).ToList();
            for (var i = 0; i < outputs.Count; i++)
            {
                if (projections.Count <= i)
                    projections.Add(TestTensors.Normal(1000 + i, outputs[i].shape).As(ElementType.Float64).ToTorch());
                sum = sum.Plus((outputs[i].to(ScalarType.Float64) * projections[i]).sum());
            }

            return sum;
        }
    }

    // Whether a derivative differs from 0.
    private static bool CheckInput(OperatorCase row, Tensor input, string name, Func<double> loss)
    {
        var gradient = input.grad is { } g ? g.contiguous().data<double>().ToArray() : new double[input.numel()];
        using var flat = input.detach().view(-1);
        var order = Enumerable.Range(0, gradient.Length).ToArray();
        if (order.Length > GradientElements)
            new SeededRandom(7).Shuffle<int>(order);
        var slopes = false;
        foreach (var i in order.Take(GradientElements))
        {
            using var inner = NewDisposeScope();
            var value = flat[i].item<double>();
            flat[i] = value + Step;
            var above = loss();
            flat[i] = value - Step;
            var below = loss();
            flat[i] = value;
            var expected = (above - below) / (2 * Step);
            slopes |= Math.Abs(expected) > GradientAbsolute;
            Assert.IsTrue(
                Math.Abs(gradient[i] - expected) <= GradientAbsolute + GradientRelative * Math.Abs(expected),
                $"{row}: the gradient of {name} at element {i} is {gradient[i]}, by central differences {expected}.");
        }

        return slopes;
    }
}
