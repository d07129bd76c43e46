using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>The element types that the registry says an operator takes, and all others.</summary>
[TestClass]
public sealed class OperatorTypesTests
{
    private static readonly string[] TypeAttributes = ["dtype", "output_datatype"];

    [TestMethod]
    public void Every_type_of_every_operator_runs_and_narrow_integers_give_the_low_bytes_of_wide_ones()
    {
        var wrong = new List<string>();
        foreach (var definition in OperatorRegistry.Default.Definitions)
        {
            // New versions take more types than old ones.
            var rows = OperatorRows.Of(definition).OrderByDescending(row => row.Opset).ToList();
            foreach (var type in definition.Types)
            {
                var row = rows.SelectMany(r => Variants(r, type)).FirstOrDefault(r => Computes(r, type));
                if (row is null)
                    wrong.Add($"{definition.Name} does not run on {type}.");
                else if (!IsLowPartOfWide(row, type))
                    wrong.Add($"{definition.Name} gives other results for {type} than for int64: {row}.");
            }
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
    }

    // The row as it is; with all its inputs of one type in the type asked for; with one input; with an attribute that names the type, or holds a tensor.
    private static IEnumerable<OperatorCase> Variants(OperatorCase row, ElementType type)
    {
        yield return row;
        foreach (var own in row.Inputs.OfType<TensorData>().Select(i => i.Type).Distinct())
            yield return row with { Inputs = [.. row.Inputs.Select(i => i?.Type == own ? i.As(type) : i)] };
        for (var index = 0; index < row.Inputs.Count; index++)
        {
            if (row.Inputs[index] is { } data)
                yield return row with { Inputs = [.. row.Inputs.Take(index), data.As(type), .. row.Inputs.Skip(index + 1)] };
        }

        foreach (var name in TypeAttributes)
            yield return row with { Attributes = [.. row.Attributes.Where(a => !TypeAttributes.Contains(a.Name)), Attr.Of(name, (long)type)] };
        yield return row with { Attributes = [.. row.Attributes.Select(a => a.Kind == AttrKind.Tensor ? Attr.Of(a.Name, a.AsTensor().As(type)) : a)] };
    }

    // Other inputs than the first may be indices, whose type says nothing.
    private static bool Computes(OperatorCase row, ElementType type) =>
        Run(row) is { } outputs && (outputs.Any(t => t.Type == type) || row.Inputs.Count > 0 && row.Inputs[0]?.Type == type);

    private static bool IsLowPartOfWide(OperatorCase row, ElementType type)
    {
        if (!type.IsInteger())
            return true;
        var wide = Run(row with { Inputs = [.. row.Inputs.Select(i => i?.Type == type ? i.As(ElementType.Int64) : i)] });
        return wide is null || Run(row)!.Zip(wide).All(p => IsLowPart(p.First, p.Second));
    }

    private static bool IsLowPart(TensorData narrow, TensorData wide)
    {
        var (bytes, wideBytes) = (narrow.Type.BitWidth() / 8, wide.Type.BitWidth() / 8);
        return narrow.Dims.SequenceEqual(wide.Dims) && Enumerable.Range(0, (int)narrow.ElementCount)
            .All(i => narrow.Bytes.Span.Slice(i * bytes, bytes).SequenceEqual(wide.Bytes.Span.Slice(i * wideBytes, bytes)));
    }

    private static IReadOnlyList<TensorData>? Run(OperatorCase row)
    {
        try
        {
            return OperatorHarness.Run(row);
        }
        catch (OnnxNasException)
        {
            return null;
        }
    }
}
