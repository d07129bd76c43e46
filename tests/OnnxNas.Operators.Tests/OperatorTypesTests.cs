using System.Runtime.InteropServices;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>The element types that the registry says an operator takes.</summary>
[TestClass]
public sealed class OperatorTypesTests
{
    [TestMethod]
    public void Every_type_of_every_operator_runs()
    {
        var refused = new List<string>();
        foreach (var definition in OperatorRegistry.Default.Definitions)
        {
            var missing = definition.Types.Where(type => !Runs(definition, type)).ToList();
            if (missing.Count > 0)
                refused.Add($"{definition.Name}: {string.Join(", ", missing)}");
        }

        Assert.IsEmpty(refused, string.Join('\n', refused));
    }

    // The newest rows come last, and with them the types that came last.
    private static bool Runs(OperatorDefinition definition, ElementType type) =>
        OperatorRows.Of(definition).OrderByDescending(row => row.Opset).SelectMany(row => Variants(row, type)).Any(row => IsOfType(row, type));

    // The row with all inputs of one of its types, or one input, or what an attribute names, in the type asked for.
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

        yield return row with { Attributes = [.. row.Attributes.Where(a => a.Name is not ("dtype" or "output_datatype")), Attr.Of("dtype", (long)type)] };
        yield return row with { Attributes = [.. row.Attributes.Where(a => a.Name is not ("dtype" or "output_datatype")), Attr.Of("output_datatype", (long)type)] };
        yield return row with { Attributes = [.. row.Attributes.Select(a => a.Kind == AttrKind.Tensor ? Attr.Of(a.Name, a.AsTensor().As(type)) : a)] };
    }

    private static bool IsOfType(OperatorCase row, ElementType type)
    {
        try
        {
            // Other inputs than the first may be indices, whose type says nothing.
            return OperatorHarness.Run(row).Any(t => t.Type == type) || row.Inputs.Count > 0 && row.Inputs[0]?.Type == type;
        }
        catch (Exception e) when (e is OnnxNasException or ExternalException)
        {
            return false;
        }
    }
}
