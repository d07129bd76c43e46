namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>
/// For each operator, where its outputs hold the samples, given where its inputs do. A rule sets that for outputs whose every sample is a function of the same
/// sample of the inputs, the same function for any number of samples, and refuses otherwise. It may rewrite what its node reads, so that this becomes true.
/// </summary>
internal static class BatchRules
{
    private static readonly Dictionary<string, Action<BatchNode>> Rules = Collect();

    /// <summary>The rule of an operator, or null.</summary>
    public static Action<BatchNode>? Find(string op) => Rules.GetValueOrDefault(op);

    private static Dictionary<string, Action<BatchNode>> Collect() =>
        ((IEnumerable<(string Names, Action<BatchNode> Rule)>)[.. ElementwiseRules.All, .. LayerRules.All, .. ProductRules.All, .. MovementRules.All, .. ReshapeRules.All])
            .SelectMany(r => r.Names.Split(' ').Select(n => (Name: n, r.Rule)))
            .ToDictionary(r => r.Name, r => r.Rule, StringComparer.Ordinal);
}
