using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes.Import.Batching;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// x [8,3,32,32], Reshape(h, [8,-1]) → x [N,3,32,32], Reshape(h, [-1,512]).
/// </summary>
/// <remarks>
/// Requires execution order and constants known (<see cref="LiftConstants"/> is not needed). The axis that holds the samples is followed from the inputs through every
/// node by the rule of its operator; a node is rewritten only where the rule proves which extent is the batch, from the order of elements and never from equal
/// numbers. Ensures, where it changes the model, that for the old number of samples it computes what it did, and that for any other number each sample's result is what it
/// was beside other samples (a BatchNormalization taken as it is at inference). Where a node mixes samples, or nothing is known of its operator, the model is left as it is and the node is named.
/// </remarks>
/// <param name="rules">The type rules of operators.</param>
/// <param name="evaluator">Computes constants.</param>
/// <param name="operatorOf">For a node outside ai.onnx, the operator of ai.onnx that treats a batch as it does, or <see cref="Join"/>; null for others.</param>
public sealed class MakeBatchDynamic(ITypeRules rules, IConstantEvaluator evaluator, Func<Node, string?>? operatorOf = null) : ImportPass
{
    /// <summary>Stands for an operator whose inputs have one shape, which its output has too, and that works on each sample by itself.</summary>
    public const string Join = "$join";

    // A wrong choice is found out within its layer; deep models make a few choices a layer.
    private const int MostTrials = 300;

    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        var inputs = BatchInputs.Of(model.Graph);
        var fixedOnes = inputs.Where(i => i.Shape![0].IsKnown).ToList();
        if (fixedOnes.Count == 0)
            return 0;
        var samples = fixedOnes[0].Shape![0].Value;
        var choices = new BatchChoices();
        try
        {
            if (inputs.FirstOrDefault(i => i.Shape![0].ValueOrNull != samples) is { } odd)
                throw new BatchException(odd.Name, $"input '{odd.Name}' {odd.Shape} and input '{fixedOnes[0].Name}' {fixedOnes[0].Shape} differ in their first extent, so that it is no batch");
            RequireConsistent(model, Try(model, samples, choices), samples);
        }
        catch (BatchException e)
        {
            Report(FindingKind.Refused, [e.Subject], $"the batch stays {samples}: {e.Message}.");
            return 0;
        }
        catch (OnnxNasException e)
        {
            Report(FindingKind.Refused, [fixedOnes[0].Name], $"the batch stays {samples}: {e.Message}");
            return 0;
        }

        choices.Rewind();
        var changes = Rewrite(model, samples, choices);
        Report(FindingKind.Changed, fixedOnes.Select(i => i.Name), $"the batch of {samples} baked into the file becomes {fixedOnes[0].Shape![0]}.");
        foreach (var (node, change) in changes)
            Report(FindingKind.Changed, [node], $"{change}.");
        return 1 + changes.Count;
    }

    // A rewritten copy. The first reason for a refusal is the one told: those of later choices come from guesses.
    private Model Try(Model model, long samples, BatchChoices choices)
    {
        BatchException? first = null;
        for (var trial = 0; trial < MostTrials; trial++)
        {
            var copy = model.Clone();
            try
            {
                Rewrite(copy, samples, choices);
                return copy;
            }
            catch (BatchException e)
            {
                first ??= e;
                if (!choices.Advance())
                    break;
            }
        }

        throw first!;
    }

    private IReadOnlyList<(string Node, string Change)> Rewrite(Model model, long samples, BatchChoices choices)
    {
        var graph = new BatchGraph(model, rules, evaluator, BatchInputs.FreeSymbol(model.Graph), samples, choices);
        return new BatchWalk(graph, BatchInputs.Of(model.Graph), operatorOf ?? (_ => null)).Run();
    }

    // With the old number of samples every value must have the old shape, as inference alone sees it.
    private void RequireConsistent(Model model, Model trial, long samples)
    {
        var before = model.Clone();
        ShapeInference.Run(before, rules);
        ShapeInference.Run(trial, rules);
        var symbol = BatchInputs.Of(trial.Graph)[0].Shape![0].ToString();
        var numbers = new Dictionary<string, long> { [symbol] = samples };
        foreach (var value in before.Graph.Values.Where(v => v.Producer is not null))
        {
            if (value.Shape is not { } old || trial.Graph.Find(value.Name)?.Shape is not { } now)
                continue;
            if (old.Rank != now.Rank || old.Zip(now).Any(p => p.First.ValueOrNull is { } extent && p.Second.Evaluate(numbers) is { } other && other != extent))
                throw new BatchException(value.Name, $"'{value.Name}' {old} would become {now}");
        }
    }
}
