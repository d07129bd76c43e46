using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Generators;

/// <summary>Constant, all versions: the tensor of its one attribute. Strings keep their type but do not run.</summary>
internal sealed class Constant : NamedOperator
{
    // As for other constants that a few bytes ask for.
    private const long MostDense = 1 << 24;

    private readonly TensorData value;

    private Constant(NodeReader node) : base(node, 0, 0)
    {
        var given = new List<TensorData>();
        if (node.Tensor("value") is { } tensor)
            given.Add(tensor);
        if (node.Version >= 11 && node.Attribute("sparse_value") is { } sparse)
            given.Add(Dense(node, sparse.AsSparseTensor()));
        if (node.Version >= 12)
        {
            if (node.Attribute("value_float") is { } number)
                given.Add(TensorData.Scalar(number.AsFloat()));
            if (node.Floats("value_floats") is { } numbers)
                given.Add(TensorData.Vector<float>(numbers));
            if (node.Attribute("value_int") is { } integer)
                given.Add(TensorData.Scalar(integer.AsInt()));
            if (node.Ints("value_ints") is { } integers)
                given.Add(TensorData.Vector<long>(integers));
            if (node.Attribute("value_string") is { } text)
                given.Add(TensorData.FromStrings([], [text.AsBytes()]));
            if (node.Attribute("value_strings")?.AsByteStrings() is { } texts)
                given.Add(TensorData.FromStrings([texts.Count], texts));
        }

        value = given.Count == 1 ? given[0] : throw node.Malformed($"there are {given.Count} value attributes; exactly one is needed.");
    }

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) =>
        Output(value.Type, Shape.Of(value.Dims), KnownElements.Of(value));

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context) =>
        value.Type == ElementType.String ? throw Unsupported("string constants do not run; remove the node.") : [value.ToTorch()];

    private static TensorData Dense(NodeReader node, SparseTensorData sparse)
    {
        if (sparse.Values is not { } values || sparse.Indices is not { Type: ElementType.Int64 } indices || values.Type.BitWidth() % 8 != 0)
            throw node.Malformed("sparse_value needs values of whole bytes and int64 indices.");
        var rank = sparse.Dims.Count;
        var places = indices.AsSpan<long>();
        var perValue = indices.Dims.Count == 2 ? rank : 1;
        if (places.Length != values.ElementCount * perValue)
            throw node.Malformed($"sparse_value has {values.ElementCount} values and indices of dims [{string.Join(',', indices.Dims)}], which do not fit.");
        // The size is checked before the memory is taken.
        var count = TensorData.Deferred(values.Type, sparse.Dims, () => default).ElementCount;
        if (count > MostDense)
            throw node.Unsupported($"sparse_value of dims [{string.Join(',', sparse.Dims)}] is too large to be made dense.");
        var width = values.Type.BitWidth() / 8;
        var bytes = new byte[count * width];
        for (var i = 0; i < values.ElementCount; i++)
        {
            var place = perValue == 1 ? places[i] : Linear(node, places.Slice(i * rank, rank), sparse.Dims);
            if (place < 0 || place >= count)
                throw node.Malformed($"sparse_value has an index outside dims [{string.Join(',', sparse.Dims)}].");
            values.Bytes.Span.Slice(i * width, width).CopyTo(bytes.AsSpan((int)place * width));
        }

        return TensorData.FromBytes(values.Type, sparse.Dims, bytes);
    }

    private static long Linear(NodeReader node, ReadOnlySpan<long> place, IReadOnlyList<long> dims)
    {
        long result = 0;
        for (var i = 0; i < place.Length; i++)
            result = place[i] >= 0 && place[i] < dims[i] ? result * dims[i] + place[i] : throw node.Malformed($"sparse_value has an index outside dims [{string.Join(',', dims)}].");
        return result;
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators =>
        [
            new("Constant", [1, 9, 11, 12, 13, 19, 21, 23, 24, 25], node => new Constant(node)) { Types = TypeSets.All, Gradient = Gradient.None("has no inputs") },
        ];
    }
}
