using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators;

/// <summary>
/// An operator bound to one node: attributes are read and checked once, in the constructor. Immutable.
/// The kernel is a pure function of inputs, attributes and the training flag.
/// </summary>
public abstract class OnnxOperator
{
    /// <summary>
    /// Types and, where cheap, elements of the outputs. A null entry means nothing is known.
    /// Fewer entries than outputs is fine.
    /// </summary>
    /// <exception cref="Ir.ShapeInferenceException">The inputs do not fit the operator.</exception>
    public abstract IReadOnlyList<InferredValue?> Infer(InferenceContext context);

    /// <summary>
    /// Computes the outputs, in order; an output nobody asked for may be null. The kernel must check whatever
    /// would make libtorch abort. It may return an input itself; it never changes one in place. It runs within a dispose scope: what it
    /// makes and does not return is disposed after it.
    /// </summary>
    public abstract Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context);

    /// <summary>Inputs that hold weights (biases, norm scales), which train whether the file holds them as initializers, Constant nodes or filled shapes.</summary>
    public virtual IReadOnlyList<int> ParameterInputs => [];

    /// <summary>
    /// Whether a gradient of the outputs reaches an input of floating-point numbers. It does unless the input decides a shape, a type or what is rounded. Of no account where
    /// <see cref="OperatorDefinition.Gradient"/> says that the operator passes none.
    /// </summary>
    public virtual bool PassesGradient(int input) => true;

    /// <summary>
    /// Inputs that hold running statistics, and the output that gives the next value in training mode.
    /// </summary>
    public virtual IReadOnlyList<(int Input, int Output)> Buffers => [];

    /// <summary>
    /// Multiply-accumulate operations of the node, with the batch symbol left in; null where the notion does not
    /// exist or a shape is unknown.
    /// </summary>
    public virtual Ir.Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => null;

    /// <summary>
    /// What the kernel makes and does beside reading its inputs, making its outputs and <see cref="MultiplyAccumulates"/>: padded copies, columns, windows.
    /// Nothing where that is no more than a few times the inputs and outputs, or a shape is unknown. It is asked before a node is run, since a small file can ask for much.
    /// </summary>
    public virtual Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs) => default;
}

/// <summary>An operator that decides which of its inputs are computed at all.</summary>
public abstract class LazyOperator : OnnxOperator
{
    /// <summary>Computes the outputs from the inputs it asks for.</summary>
    public abstract Tensor?[] Run(ILazyInputs inputs, RunContext context);

    /// <inheritdoc/>
    public sealed override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) => Run(new Ready(inputs), context);

    private sealed class Ready(IReadOnlyList<Tensor?> inputs) : ILazyInputs
    {
        public int Count => inputs.Count;

        public Tensor this[int index] => inputs[index] ?? throw new ArgumentOutOfRangeException(nameof(index), index, "The input is omitted.");
    }
}

/// <summary>Runs the graph that an attribute holds, on values for its inputs; values it captures are given by the executor.</summary>
/// <returns>The graph's outputs, in order.</returns>
public delegate IReadOnlyList<Tensor> BodyRunner(string attribute, IReadOnlyList<Tensor> inputs);

/// <summary>An operator that runs graphs its node holds.</summary>
public abstract class ControlFlowOperator : OnnxOperator
{
    /// <summary>Computes the outputs, running bodies as often as it needs.</summary>
    public abstract Tensor?[] Run(IReadOnlyList<Tensor?> inputs, BodyRunner run, RunContext context);

    /// <summary>What the inputs of a body are, as far as the node's inputs tell; a body without inputs has none.</summary>
    public abstract IReadOnlyList<Ir.OnnxType?> BodyInputs(InferenceContext context, Ir.Graph body);

    /// <summary>Whether a run takes one of the node's graphs, not all.</summary>
    public virtual bool TakesOneBody => false;

    /// <summary>How often a run takes the node's graphs; null where that is not known before running.</summary>
    public virtual Ir.Dim? Repetitions(InferenceContext context) => 1;

    /// <summary>The node's input that an input of its graph starts as, where later repetitions may change it; null for all others.</summary>
    public virtual int? StartOf(int bodyInput) => null;

    /// <inheritdoc/>
    public sealed override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) =>
        throw new Ir.UnsupportedOperatorException("a node that holds graphs runs only within a graph.");
}

/// <summary>Inputs computed when first asked for.</summary>
public interface ILazyInputs
{
    /// <summary>Number of inputs.</summary>
    int Count { get; }

    /// <summary>The value of an input, computed now if it was not before. Owned by the executor: do not dispose it.</summary>
    Tensor this[int index] { get; }
}

/// <summary>What a kernel knows of the run.</summary>
/// <param name="Training">Batch statistics and dropout are on.</param>
/// <param name="OutputCount">Outputs the node declares; trailing ones beyond need not be computed.</param>
public readonly record struct RunContext(bool Training, int OutputCount);
