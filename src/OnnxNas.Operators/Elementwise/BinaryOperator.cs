using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Elementwise;

/// <summary>A function of two tensors that broadcast: A, B to C of their common shape.</summary>
internal sealed class BinaryOperator(NodeReader node, BinaryOperator.Rule rule) : NamedOperator(node, 2, 2)
{
    private readonly LimitedBroadcast? limited = LimitedBroadcast.Read(node);

    public override IReadOnlyList<int> ParameterInputs => rule.Trainable ? [0, 1] : [];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = Common(context.Element(0), context.Element(1));
        if (rule.Divides)
            Integers.RequireDefined(context);
        var elements = rule.Elements is null ? null
            : KnownElements.Combine(element, KnownElements.Of(context, 0), KnownElements.Of(context, 1), rule.Elements);
        return [new InferredValue(new TensorType(rule.Result ?? element, limited is null ? Broadcasting.Infer(context, 0, 1) : limited.Infer(context)), elements)];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (a, b) = (inputs[0]!, inputs[1]!);
        _ = Common(a.dtype.ToElementType(), b.dtype.ToElementType());
        if (limited is not null)
            b = limited.Place(a, b, Error);
        else if (!Broadcasting.Fits(a.shape, b.shape))
            throw Error(Broadcasting.Mismatch(a, b));
        try
        {
            return [WideUnsigned.Narrowed(rule.Kernel(WideUnsigned.Widened(a, rule.Wraps), WideUnsigned.Widened(b, rule.Wraps)), a)];
        }
        catch (DivideByZeroException)
        {
            throw Error("an integer is divided by zero.");
        }
    }

    private ElementType Common(ElementType a, ElementType b)
    {
        if (a != b && a != ElementType.Undefined && b != ElementType.Undefined)
            throw Error($"element types {a} and {b} differ; cast one of them.");
        var element = a == ElementType.Undefined ? b : a;
        return element == ElementType.Undefined || rule.Takes(element)
            ? element
            : throw Error($"element type {element} is not one the operator takes; cast the inputs.");
    }

    /// <summary>One row of a table of operators.</summary>
    /// <param name="Name">The operator.</param>
    /// <param name="Versions">Its since-versions.</param>
    /// <param name="Kernel">The function.</param>
    public sealed record Rule(string Name, int[] Versions, Func<Tensor, Tensor, Tensor> Kernel)
    {
        /// <summary>The element type of the result; null: that of the inputs.</summary>
        public ElementType? Result { get; init; }

        /// <summary>Element types of inputs.</summary>
        public Func<ElementType, bool> Takes { get; init; } = type => type != ElementType.Bool;

        /// <summary>The function on elements of shape computations.</summary>
        public Func<Dim, Dim, Dim?>? Elements { get; init; }

        /// <summary>Whether signed and unsigned integers give the same bits.</summary>
        public bool Wraps { get; init; }

        /// <summary>Whether the second input is a divisor.</summary>
        public bool Divides { get; init; }

        /// <summary>Whether a float constant of the node is a parameter (a scale or an offset per channel).</summary>
        public bool Trainable { get; init; }

        public OperatorDefinition Definition
        {
            get
            {
                var definition = new OperatorDefinition(Name, Versions, node => new BinaryOperator(node, this)) { Types = [.. TypeSets.All.Where(Takes)], Ranges = Divides ? [new(1, 1, 4)] : [] };
                return Result == ElementType.Bool ? definition with { Gradient = Gradient.None("gives truth values") } : definition;
            }
        }
    }
}
