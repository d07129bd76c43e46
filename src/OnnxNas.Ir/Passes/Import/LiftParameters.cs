using System.Globalization;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Conv(x, Constant()) → Conv(x, w); Conv(x, ConstantOfShape(s)) → Conv(x, w); Conv(x, RandomNormal()) → Conv(x, w), with an initializer w that trains, also behind nodes that
/// move elements. Running statistics likewise.
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that parameters and running statistics are initializers, whichever way the file holds them. A ConstantOfShape that elementwise operators
/// read is left alone: there it is a mask or a starting value, not a weight; and so is a random operator, which is noise there.
/// </remarks>
public sealed class LiftParameters(IParameterRules rules) : ImportPass
{
    // Of the weights that are made of a shape, all together: a small file must not ask for gigabytes.
    private const double MostElements = 1 << 24;

    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var (opsets, editor) = (model.OpsetVersions(), new GraphEditor(model));
        var (lifted, filled, drawn, left) = (new List<string>(), new List<string>(), new List<string>(), new List<string>());
        var room = MostElements;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            foreach (var value in rules.ParameterInputs(node, opsets).Concat(rules.BufferInputs(node, opsets)).Select(node.Input).OfType<Value>().SelectMany(Sources).ToList())
            {
                if (value is not { Producer: { } maker, IsOutput: false })
                    continue;
                var data = ConstantNode.Read(maker);
                var found = lifted;
                if (data is null)
                {
                    if (node.OpType is "Add" or "Sub" or "Mul" or "Div" || Extents(maker) is not { } extents)
                        continue;
                    var count = extents.Aggregate(1.0, (a, b) => a * b);
                    if (count > room)
                    {
                        left.Add(value.Name);
                        continue;
                    }

                    room -= count;
                    (found, data) = maker.OpType == "ConstantOfShape" ? (filled, Filled(maker, extents, count)) : (drawn, Drawn(maker, extents, count, drawn.Count));
                }

                if (!ConstantFacts.MayBeWeight(data) || FixedConstants.WhyFixed(data, value, node) is not null)
                    continue;
                found.Add(value.Name);
                editor.ReplaceByConstants(maker, [data]);
            }
        }

        if (lifted.Count > 0)
            Report(FindingKind.Changed, lifted, "parameters in Constant nodes become initializers, which train.");
        if (filled.Count > 0)
            Report(FindingKind.Changed, filled, "parameters made by ConstantOfShape become initializers, which train.");
        if (drawn.Count > 0)
            Report(FindingKind.Changed, drawn, "parameters that a random operator makes are drawn once and become initializers, which train.");
        if (left.Count > 0)
            Report(FindingKind.Refused, left, string.Create(CultureInfo.InvariantCulture, $"parameters made of a shape do not train, since they would hold more than {MostElements:N0} numbers together. Store them as initializers."));
        return lifted.Count + filled.Count + drawn.Count;
    }

    // The values at the start of the nodes that move a parameter's elements.
    private static IEnumerable<Value> Sources(Value value) =>
        value.Producer is not { } maker || !ParameterSources.IsMovement(maker) ? [value]
        : maker.OpType == "Concat" ? ParameterSources.Of(value)
        : maker.Input(0) is { } source ? Sources(source) : [];

    // The extents of a weight that is made of a shape, or null where the maker makes none.
    private static long[]? Extents(Node maker)
    {
        var extents = maker switch
        {
            { OpType: "ConstantOfShape", Domain: "" } when Fill(maker) is { ElementCount: 1 } fill && fill.Type.IsFloatingPoint()
                && maker.Input(0) is { } shape && ConstantFacts.Constant(shape) is { Type: ElementType.Int64 } dims => dims.ToInt64s(),
            { OpType: "RandomNormal" or "RandomUniform", Domain: "" } when (maker.Attribute("dtype")?.AsInt() ?? (long)ElementType.Float32) == (long)ElementType.Float32
                && maker.Attribute("shape")?.AsInts() is { } shape => [.. shape],
            _ => null,
        };
        return extents?.All(e => e > 0) == true ? extents : null;
    }

    private static TensorData Fill(Node maker) => maker.Attribute("value")?.AsTensor() ?? TensorData.Scalar(0f);

    private static TensorData Filled(Node maker, long[] extents, double count)
    {
        var fill = Fill(maker);
        var (one, bytes) = (fill.Bytes, new byte[(long)count * fill.Bytes.Length]);
        if (one.Span.ContainsAnyExcept((byte)0))
        {
            for (var at = 0; at < bytes.Length; at += one.Length)
                one.CopyTo(bytes.AsMemory(at));
        }

        return TensorData.FromBytes(fill.Type, extents, bytes);
    }

    private static TensorData Drawn(Node maker, long[] extents, double count, int number)
    {
        var random = new SeededRandom(BitConverter.SingleToInt32Bits(Number("seed", 0)), number);
        var isNormal = maker.OpType == "RandomNormal";
        var (offset, scale) = isNormal ? (Number("mean", 0), Number("scale", 1)) : (Number("low", 0), Number("high", 1) - Number("low", 0));
        return TensorData.Create<float>(extents, [.. Enumerable.Range(0, (int)count).Select(_ => (float)(offset + scale * (isNormal ? random.NextGaussian() : random.NextDouble())))]);

        float Number(string name, float value) => maker.Attribute(name)?.AsFloat() ?? value;
    }
}
