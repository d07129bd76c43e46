namespace OnnxNas.Ir.Passes;

/// <summary>
/// y = f(x) → the nodes of f's body, on x and y.
/// </summary>
/// <remarks>
/// Requires that the operator sets of a body agree with the model's, or that <paramref name="isSameVersion"/> says of each of its nodes that
/// two versions of the operator's set mean the same. Ensures that the model has no functions and no call of one. Values that the caller
/// names keep their names; those of a body get the call's name before their own. An attribute that neither the call nor the function gives is absent;
/// a graph as attribute is not supported.
/// </remarks>
/// <param name="isSameVersion">Whether a node means the same in two versions of its operator set.</param>
public sealed class InlineFunctions(Func<Node, int, int, bool> isSameVersion) : Pass
{
    /// <inheritdoc/>
    /// <exception cref="ModelFormatException">A call does not fit its function; functions call themselves, or expand to more than can be held.</exception>
    /// <exception cref="UnsupportedOperatorException">A body needs another version of an operator than the model imports.</exception>
    public override int Apply(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Functions.Count == 0)
            return 0;
        var functions = model.Functions.ToDictionary(f => (f.Domain, f.Name, f.Overload));
        var size = new FunctionSize(functions);
        size.Require(model.Graph);
        foreach (var function in model.Functions.Where(size.IsCalled))
            JoinOperatorSets(model, function, functions);
        var graphs = new GraphEditor(model).Graphs;
        var expansion = new FunctionExpansion(functions, graphs.SelectMany(g => g.Values).Select(v => v.Name));
        foreach (var graph in graphs.Reverse())
            expansion.Expand(graph.Nodes);
        var count = model.Functions.Count;
        model.Functions.Clear();
        DropUnused(model, functions.Keys.Select(id => id.Domain));
        return count;
    }

    private void JoinOperatorSets(Model model, Function function, Dictionary<(string Domain, string Name, string Overload), Function> functions)
    {
        var used = Nodes(function.Body).Where(n => !functions.ContainsKey((n.Domain, n.OpType, n.Overload))).ToLookup(n => n.Domain);
        foreach (var (domain, version) in function.OpsetImports.Where(import => used.Contains(import.Key)))
        {
            if (model.OpsetImports.TryAdd(domain, version) || model.OpsetImports[domain] == version)
                continue;
            var own = model.OpsetImports[domain];
            if (used[domain].FirstOrDefault(n => !isSameVersion(n, Model.Narrow(version), Model.Narrow(own))) is { } other)
            {
                throw new UnsupportedOperatorException(
                    $"Function {FunctionExpansion.Show(function)} uses {other} of opset {version}, the model imports opset {own}, where it may mean something else. Export both with one opset.");
            }
        }
    }

    // What only the functions were of would be left over in a file that has none.
    private static void DropUnused(Model model, IEnumerable<string> domains)
    {
        var used = Nodes(model.Graph).Select(n => n.Domain).ToHashSet();
        foreach (var domain in domains.Distinct().Where(d => d.Length > 0 && !used.Contains(d)))
            model.OpsetImports.Remove(domain);
    }

    private static IEnumerable<Node> Nodes(Graph graph) =>
        graph.Nodes.SelectMany(n => n.Subgraphs.SelectMany(Nodes).Prepend(n));
}
