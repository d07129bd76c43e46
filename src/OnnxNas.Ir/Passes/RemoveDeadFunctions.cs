namespace OnnxNas.Ir.Passes;

/// <summary>
/// f, which no node of the graph calls, directly or through others → nothing.
/// </summary>
/// <remarks>Requires nothing. Ensures that every function of the model is called.</remarks>
public sealed class RemoveDeadFunctions : Pass
{
    /// <inheritdoc/>
    public override int Apply(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var functions = model.Functions.ToLookup(f => (f.Domain, f.Name, f.Overload));
        var (called, open) = (new HashSet<Function>(), new Stack<Graph>([model.Graph]));
        while (open.TryPop(out var graph))
        {
            foreach (var node in graph.Nodes)
            {
                foreach (var inner in node.Subgraphs)
                    open.Push(inner);
                foreach (var function in functions[(node.Domain, node.OpType, node.Overload)].Where(called.Add))
                    open.Push(function.Body);
            }
        }

        var dead = model.Functions.Count - called.Count;
        if (dead == 0)
            return 0;
        Function[] kept = [.. model.Functions.Where(called.Contains)];
        model.Functions.Clear();
        foreach (var function in kept)
            model.Functions.Add(function);
        return dead;
    }
}
