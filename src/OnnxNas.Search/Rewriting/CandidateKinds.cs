using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Search.Rewriting;

/// <summary>What a candidate of a LayerChoice does.</summary>
public enum CandidateKind
{
    /// <summary>Something.</summary>
    Operation,

    /// <summary>Nothing: it is zero whatever comes in ("none").</summary>
    Zero,

    /// <summary>It hands on what all candidates start from ("skip").</summary>
    Identity,
}

/// <summary>
/// What the candidates of a space do, recognised from the graph and not from their names: a candidate is zero, or an identity, where simplification leaves
/// zeros, or the input itself, at every marker of its label. A skip that changes the shape is an operation.
/// </summary>
public sealed class CandidateKinds
{
    private readonly Dictionary<string, CandidateKind[]> kinds = [];

    /// <summary>Analyses a copy of the space's model.</summary>
    public CandidateKinds(SearchSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        var model = space.Model.Clone();
        var registry = SupernetOperators.Registry;
        TrainingDecision.Ensure(model, registry);
        Pass[] tidy = [new LiftConstants(), new EliminateIdentities(registry), new FoldConstants(new ConstantEvaluator(registry), registry, keepWeights: true)];
        new PassManager(tidy).RunToFixpoint(model);
        // Zeros that are simplified no longer tell where the candidate beside them starts.
        var before = new CommonInput(model.Graph, ZeroValues.All(model));
        var starts = SearchSpace.Read(model).Choices.OfType<LayerChoice>().SelectMany(c => c.Nodes).ToDictionary(n => n.Output.Name, n => before.Of(n)?.Name);
        new PassManager([.. tidy, new SimplifyAlgebra(registry, keepWeights: true)]).RunToFixpoint(model);
        var zeros = ZeroValues.All(model);
        var inputs = new CommonInput(model.Graph, zeros);
        foreach (var choice in SearchSpace.Read(model).Choices)
        {
            var sources = choice.Nodes.ToDictionary(n => n, n => choice is LayerChoice ? new[] { inputs.Of(n)?.Name, starts[n.Output.Name] } : []);
            kinds[choice.Label] = [.. Enumerable.Range(0, choice.Candidates.Count).Select(k =>
                choice.Nodes.All(n => zeros.Contains(n.Inputs[k]!)) ? CandidateKind.Zero
                : choice.Nodes.All(n => sources[n].Contains(n.Inputs[k]!.Name)) ? CandidateKind.Identity
                : CandidateKind.Operation)];
        }
    }

    /// <summary>What each candidate of a choice does, in their order.</summary>
    public IReadOnlyList<CandidateKind> this[Choice choice]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(choice);
            return kinds[choice.Label];
        }
    }
}
