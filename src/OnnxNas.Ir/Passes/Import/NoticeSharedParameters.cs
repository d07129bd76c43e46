using System.Security.Cryptography;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// Says which parameters several nodes read, and which hold the same numbers under different names. Changes nothing: one initializer is one trained tensor, two stay two.
/// </summary>
public sealed class NoticeSharedParameters(IParameterRules rules) : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var opsets = model.OpsetVersions();
        var trained = TrainingDecision.Of(model, rules).Trained;
        var readers = new OrderedDictionary<Value, HashSet<Node>>();
        foreach (var node in model.Graph.Nodes)
        {
            foreach (var value in rules.ParameterInputs(node, opsets).Select(node.Input).OfType<Value>().SelectMany(ParameterSources.Of))
            {
                if (value.Initializer is null || !trained.Contains(value))
                    continue;
                if (!readers.TryGetValue(value, out var nodes))
                    readers[value] = nodes = [];
                nodes.Add(node);
            }
        }

        var shared = readers.Where(r => r.Value.Count > 1).Select(r => r.Key.Name).ToList();
        if (shared.Count > 0)
            Report(FindingKind.Noticed, shared, "parameters that several nodes read: each is one trained tensor.");
        // At initialisation equality says nothing.
        foreach (var equal in readers.Keys.Where(v => !ConstantFacts.IsOneNumber(v.Initializer!)).GroupBy(Key).Where(g => g.Count() > 1))
            Report(FindingKind.Noticed, equal.Select(v => v.Name), "parameters hold the same numbers under different names: they are trained apart. Give them one initializer to tie them.");
        return 0;
    }

    private static string Key(Value value) => $"{value.Initializer} {Convert.ToHexString(SHA256.HashData(value.Initializer!.Bytes.Span))}";
}
