using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Nn;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Random;

/// <summary>
/// RandomNormal, RandomUniform (of the shape an attribute gives) and RandomNormalLike, RandomUniformLike (of the input's), versions 1 and 22.
/// Numbers come from libtorch's generator, so that a seeded run repeats; <c>seed</c> is not used, since it would give every step the same numbers.
/// </summary>
internal sealed class RandomNumbers : NamedOperator
{
    private readonly long[]? shape; // null: that of the input
    private readonly ElementType? type;
    private readonly bool normal;
    private readonly double offset;
    private readonly double scale;

    private RandomNumbers(NodeReader node, bool like, bool normal) : base(node, like ? 1 : 0, like ? 1 : 0)
    {
        this.normal = normal;
        node.Ignore("seed");
        shape = like ? null : Countable(node.Ints("shape") ?? throw node.Malformed("attribute 'shape' is missing; the operator needs it."));
        if (shape?.Any(d => d < 0) == true)
            throw node.Malformed($"shape [{string.Join(',', shape)}] holds a negative extent.");
        type = node.Has("dtype") ? (ElementType)node.Int("dtype") : like ? null : ElementType.Float32;
        if (type is { } given && !given.IsFloatingPoint())
            throw node.Malformed($"dtype is {given}, which is no floating-point type.");
        _ = type?.ToTorch();
        (offset, scale) = normal
            ? (node.Float("mean", 0), node.Float("scale", 1))
            : (node.Float("low", 0), (double)node.Float("high", 1) - node.Float("low", 0));
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        var element = type ?? context.Element(0);
        if (type is null && element != ElementType.Undefined && !element.IsFloatingPoint())
            throw Error($"random numbers of {element} are none; give a floating-point dtype.");
        return [InferredValue.Tensor(element, shape is null ? context.Shape(0) : Shape.Of(shape))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var wanted = type?.ToTorch() ?? inputs[0]!.dtype;
        if (!wanted.ToElementType().IsFloatingPoint())
            throw Error($"random numbers of {wanted} are none; give a floating-point dtype.");
        var extents = shape ?? inputs[0]!.shape;
        var device = inputs.At(0)?.device ?? CPU;
        var working = wanted == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        var numbers = normal ? randn(extents, working, device) : rand(extents, working, device);
        return [numbers.Times(scale).Plus(offset).to(wanted)];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("RandomNormal", [1, 22], node => new RandomNumbers(node, like: false, normal: true)) { Gradient = Gradient.None("draws random numbers") },
            new("RandomUniform", [1, 22], node => new RandomNumbers(node, like: false, normal: false)) { Gradient = Gradient.None("draws random numbers") },
            new("RandomNormalLike", [1, 22], node => new RandomNumbers(node, like: true, normal: true)) { Gradient = Gradient.None("draws random numbers") },
            new("RandomUniformLike", [1, 22], node => new RandomNumbers(node, like: true, normal: false)) { Gradient = Gradient.None("draws random numbers") },
        ];
    }
}
