using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Execution;

/// <summary>
/// Keeps a run within its limits: before each kernel, the type rule of its operator says what it makes of the tensors that are there, so that sizes
/// that depend on the data are known too.
/// </summary>
internal sealed class RunGuard(RunLimits limits)
{
    // Larger tensors hold no sizes.
    private const long MostConstants = 4096;

    // What a node costs however small its tensors are. A loop may run its body without end, so that its nodes count for what they really take.
    private const double StepsPerNode = 100_000;
    private const double StepsPerNodeOfBody = 4_000_000;

    private double steps;

    /// <summary>Bytes of the tensors that live.</summary>
    public double Live { get; set; }

    public static double BytesOf(Tensor tensor) => (double)tensor.numel() * tensor.element_size();

    /// <summary>Refuses a kernel that would leave the limits.</summary>
    /// <exception cref="ResourceLimitException">It would take more memory than is left, or the run more time.</exception>
    public void Enter(Node node, OnnxOperator bound, IReadOnlyList<Tensor?> inputs)
    {
        steps += node.Graph.Outer is null ? StepsPerNode : StepsPerNodeOfBody;
        if (Work(node, bound, inputs) is { } work)
        {
            steps += work.Steps;
            Require(Live + work.Bytes <= limits.Bytes, node, $"{Megabytes(work.Bytes)} on top of {Megabytes(Live)}");
        }

        if (!(steps <= limits.Steps))
            throw new ResourceLimitException($"{node} would bring the run to {Count(steps)} operations; {Count(limits.Steps)} are allowed with {Megabytes(limits.Bytes)} of memory. Check the sizes that the model asks for, or raise --memory.");
    }

    /// <summary>Counts the inputs of a run.</summary>
    /// <exception cref="ResourceLimitException">They alone take more than is allowed.</exception>
    public void Add(string name, Tensor tensor)
    {
        Live += BytesOf(tensor);
        if (Live > limits.Bytes)
            throw new ResourceLimitException($"Input '{name}' brings the run to {Megabytes(Live)}; {Megabytes(limits.Bytes)} are allowed. Check the sizes that the model asks for, or raise --memory.");
    }

    /// <summary>Refuses outputs that would be too much once they are copied.</summary>
    /// <exception cref="ResourceLimitException">They are.</exception>
    public void RequireModest(IReadOnlyList<Tensor> outputs)
    {
        var bytes = outputs.Sum(BytesOf);
        if (bytes > limits.BytesOfFeeds)
            throw new ResourceLimitException($"The outputs take {Megabytes(bytes)}; {Megabytes(limits.BytesOfFeeds)} are allowed. Check the sizes that the model asks for, or raise --memory.");
    }

    private void Require(bool holds, Node node, string needs)
    {
        if (!holds)
            throw new ResourceLimitException($"{node} needs {needs}; the run may take {Megabytes(limits.Bytes)}. Check the sizes that the model asks for, or raise --memory.");
    }

    // Null where the rule does not take the inputs: the kernel says so better.
    private static NodeWork? Work(Node node, OnnxOperator bound, IReadOnlyList<Tensor?> inputs)
    {
        var known = new InferredValue?[node.Inputs.Count];
        var constants = new TensorData?[known.Length];
        for (var i = 0; i < known.Length; i++)
        {
            if (inputs[i] is not { } tensor)
                continue;
            var type = tensor.dtype.ToElementType();
            constants[i] = tensor.numel() <= MostConstants ? tensor.ToTensorData() : null;
            known[i] = new(new TensorType(type, Shape.Of(tensor.shape)), KnownElements.Of(constants[i]));
        }

        try
        {
            var context = new InferenceContext(node, known, constants);
            return NodeWork.Of(bound, context, bound.Infer(context));
        }
        catch (Exception e) when (e is OnnxNasException or ArithmeticException)
        {
            return null;
        }
    }

    private static string Megabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1 << 20):N0} MiB");

    private static string Count(double steps) => steps.ToString("0.0e0", CultureInfo.InvariantCulture);
}
