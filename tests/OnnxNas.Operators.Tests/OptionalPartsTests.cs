using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>
/// Every rule of every operator, on nodes that leave inputs and outputs out. Which ones are optional is the operator's affair:
/// it may refuse the node by an error of this project, but no rule may fail otherwise.
/// </summary>
[TestClass]
public sealed class OptionalPartsTests
{
    private static readonly OperatorRegistry Registry = OperatorRegistry.Default;

    public static IEnumerable<object[]> Operators => Registry.Definitions.Select(d => new object[] { d.Domain, d.Name });

    [TestMethod]
    [DynamicData(nameof(Operators))]
    public void Rules_hold_whatever_is_left_out(string domain, string name)
    {
        var wrong = new List<string>();
        var run = 0;
        foreach (var row in OperatorRows.Running[(domain, name)])
        {
            foreach (var (what, inputs, outputs) in Variants(row))
            {
                foreach (var (rule, action) in Rules(row, inputs, outputs))
                {
                    run++;
                    if (Fault(action) is { } fault)
                        wrong.Add($"{row}, {what}, {rule}: {fault.GetType().Name}: {fault.Message}{Environment.NewLine}{fault.StackTrace?.Split('\n')[0]}");
                }
            }
        }

        Assert.IsGreaterThan(0, run);
        Assert.IsEmpty(wrong, string.Join(Environment.NewLine, wrong.Take(10)));
    }

    [TestMethod]
    [DynamicData(nameof(Operators))]
    public void MACs_do_not_depend_on_which_outputs_the_node_declares(string domain, string name)
    {
        foreach (var row in OperatorRows.Running[(domain, name)])
        {
            var (node, bound, context) = Bind(row, [.. row.Inputs], Enumerable.Repeat(true, row.Outputs).ToArray());
            var all = bound.Infer(context);
            Assert.AreEqual(bound.MultiplyAccumulates(context, all), bound.MultiplyAccumulates(context, [.. all.Take(1)]), $"{row}: {node}");
        }
    }

    // The row itself, and the row less one input or output, or less all from one on.
    private static IEnumerable<(string What, TensorData?[] Inputs, bool[] Outputs)> Variants(OperatorCase row)
    {
        TensorData?[] own = [.. row.Inputs.SkipLast(row.Captured)], captured = [.. row.Inputs.TakeLast(row.Captured)];
        var declared = Enumerable.Repeat(true, row.Outputs).ToArray();
        yield return ("whole", [.. own, .. captured], declared);
        for (var i = 0; i < own.Length; i++)
        {
            yield return ($"input {i} left out", [.. own.Take(i), null, .. own.Skip(i + 1), .. captured], declared);
            yield return ($"inputs from {i} on left out", [.. own.Take(i), .. captured], declared);
        }

        for (var i = 0; i < row.Outputs; i++)
        {
            yield return ($"output {i} left out", [.. own, .. captured], [.. declared.Select((_, j) => j != i)]);
            yield return ($"outputs from {i} on left out", [.. own, .. captured], [.. declared.Take(i)]);
        }
    }

    private static IEnumerable<(string Name, Action Rule)> Rules(OperatorCase row, TensorData?[] inputs, bool[] outputs)
    {
        yield return ("shapes and MACs", () => Ask(row, inputs, outputs, _ => true));
        for (var i = 0; i < inputs.Length; i++)
        {
            var unknown = i;
            yield return ($"shapes and MACs where input {i} has no known shape", () => Ask(row, inputs, outputs, k => k != unknown));
        }

        yield return ("shapes and MACs where nothing is known", () => Ask(row, inputs, outputs, _ => false));
        yield return ("inference", () => ShapeInference.Run(Build(row, inputs, outputs), Registry));
        yield return ("parameters", () =>
        {
            _ = TrainingDecision.Of(Build(row, inputs, outputs), Registry);
        }
        );
        yield return ("batch", () => new MakeBatchDynamic(Registry, new ConstantEvaluator(Registry)).Apply(Build(row, inputs, outputs)));
        yield return ("zeros", () =>
        {
            var model = Build(row, inputs, outputs);
            ShapeInference.Run(model, Registry);
            ZeroValues.All(model);
        }
        );
        foreach (var pass in new Pass[] { new SimplifyAlgebra(Registry), new EliminateIdentities(Registry), new ToInferenceForm(), new MergeEqualNodes(), new RemoveDeadNodes() })
        {
            yield return (pass.Name, () =>
            {
                var model = Build(row, inputs, outputs);
                ShapeInference.Run(model, Registry);
                pass.Run(model);
            }
            );
        }
    }

    private static void Ask(OperatorCase row, TensorData?[] inputs, bool[] outputs, Func<int, bool> isKnown)
    {
        var (node, bound, context) = Bind(row, inputs, outputs, isKnown);
        var inferred = bound.Infer(context);
        bound.MultiplyAccumulates(context, [.. node.Outputs.Select((o, i) => o is null || i >= inferred.Count ? null : inferred[i])]);
    }

    private static (Node Node, OnnxOperator Bound, InferenceContext Context) Bind(OperatorCase row, TensorData?[] inputs, bool[] outputs, Func<int, bool>? isKnown = null)
    {
        var node = Build(row, inputs, outputs).Graph.First!;
        var known = node.Inputs.Select((v, i) => v is null ? null : isKnown?.Invoke(i) == false ? new InferredValue(null) : new InferredValue(v.Type)).ToList();
        return (node, Registry.Bind(node, Opsets(row)), new(node, known, [.. node.Inputs.Select(v => v?.Initializer)]));
    }

    private static Dictionary<string, int> Opsets(OperatorCase row) => row.Domain.Length == 0 ? new() { [""] = row.Opset } : new() { [""] = 17, [row.Domain] = row.Opset };

    private static Model Build(OperatorCase row, TensorData?[] inputs, bool[] outputs)
    {
        var graph = new Graph("case");
        Value?[] values =
        [
            .. inputs.Select((data, i) => data is null ? null
                : row.Constants.Contains(i) ? graph.AddInitializer($"i{i}", data)
                : graph.AddInput($"i{i}", new TensorType(data.Type, Shape.Of(data.Dims)))),
        ];
        var bodies = row.Bodies?.Invoke(graph, [.. values.TakeLast(row.Captured).OfType<Value>()]) ?? [];
        var made = outputs.Select((isThere, i) => isThere ? graph.AddValue($"o{i}") : null).ToList();
        graph.AddNode(row.OpType, values.SkipLast(row.Captured), made, row.Domain, [.. row.Attributes, .. bodies], "node");
        foreach (var output in made.OfType<Value>())
            graph.AddOutput(output);
        var model = new Model(graph) { IrVersion = 10 };
        foreach (var (domain, version) in Opsets(row))
            model.OpsetImports[domain] = version;
        return model;
    }

    private static Exception? Fault(Action rule)
    {
        try
        {
            rule();
            return null;
        }
        catch (OnnxNasException)
        {
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
