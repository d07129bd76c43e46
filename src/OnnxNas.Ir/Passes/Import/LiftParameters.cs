using System.Globalization;
using OnnxNas.Ir.Inference;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Conv(x, Constant()) → Conv(x, w); Conv(x, ConstantOfShape(s)) → Conv(x, w), with an initializer w that trains. Running statistics likewise.
/// </summary>
/// <remarks>
/// Requires nothing. Ensures that parameters and running statistics are initializers, whichever way the file holds them. A ConstantOfShape that elementwise operators
/// read is left alone: there it is a mask or a starting value, not a weight.
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
        var (lifted, filled, left) = (new List<string>(), new List<string>(), new List<string>());
        var room = MostElements;
        foreach (var node in editor.Graphs.SelectMany(g => g.Nodes))
        {
            foreach (var input in rules.ParameterInputs(node, opsets).Concat(rules.BufferInputs(node, opsets)))
            {
                if (node.Input(input) is not { Producer: { } maker } value || value.IsOutput)
                    continue;
                var constant = ConstantNode.Read(maker);
                if (constant is null && FilledSize(maker, node) > room)
                {
                    left.Add(value.Name);
                    continue;
                }

                if ((constant ?? Filled(maker, node)) is not { } data || !ConstantFacts.MayBeWeight(data) || FixedConstants.Contains(data, value, node))
                    continue;
                (constant is null ? filled : lifted).Add(value.Name);
                room -= constant is null ? data.ElementCount : 0;
                editor.ReplaceByConstants(maker, [data]);
            }
        }

        if (lifted.Count > 0)
            Report(FindingKind.Changed, lifted, "parameters in Constant nodes become initializers, which train.");
        if (filled.Count > 0)
            Report(FindingKind.Changed, filled, "parameters made by ConstantOfShape become initializers, which train.");
        if (left.Count > 0)
            Report(FindingKind.Refused, left, string.Create(CultureInfo.InvariantCulture, $"parameters made by ConstantOfShape do not train, since they would hold more than {MostElements:N0} numbers together. Store them as initializers."));
        return lifted.Count + filled.Count;
    }

    // The number of elements of a weight that is made of a shape, or null where the maker makes none.
    private static double? FilledSize(Node maker, Node reader)
    {
        if (maker is not { OpType: "ConstantOfShape", Domain: "" } || reader.OpType is "Add" or "Sub" or "Mul" or "Div")
            return null;
        if (maker.Input(0) is not { } shape || ConstantFacts.Constant(shape) is not { Type: ElementType.Int64 } dims)
            return null;
        var fill = Fill(maker);
        var extents = dims.ToInt64s();
        return fill.Type.IsFloatingPoint() && fill.ElementCount == 1 && extents.All(e => e > 0) ? extents.Aggregate(1.0, (a, b) => a * b) : null;
    }

    private static TensorData? Filled(Node maker, Node reader)
    {
        if (FilledSize(maker, reader) is not { } count)
            return null;
        var fill = Fill(maker);
        var extents = ConstantFacts.Constant(maker.Input(0)!)!.ToInt64s();
        var (one, bytes) = (fill.Bytes, new byte[(long)count * fill.Bytes.Length]);
        if (one.Span.ContainsAnyExcept((byte)0))
        {
            for (var at = 0; at < bytes.Length; at += one.Length)
                one.CopyTo(bytes.AsMemory(at));
        }

        return TensorData.FromBytes(fill.Type, extents, bytes);
    }

    private static TensorData Fill(Node maker) => maker.Attribute("value")?.AsTensor() ?? TensorData.Scalar(0f);
}
