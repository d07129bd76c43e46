namespace OnnxNas.Ir.Serialization;

/// <summary>Whether a model is one that can be read again: what reading refuses is not written.</summary>
internal static class WritingRules
{
    /// <summary>Requires a model to be fit for writing.</summary>
    /// <exception cref="ModelFormatException">It is not; the message names the first place.</exception>
    public static void Require(Model model)
    {
        if (model.IrVersion < 1)
            throw new ModelFormatException($"The model's IR version is {model.IrVersion}. Set {nameof(Model)}.{nameof(Model.IrVersion)} to one that fits its operators, such as 8.");
        if (model.OpsetImports.Count == 0)
            throw new ModelFormatException($"The model imports no operator set. Add one to {nameof(Model)}.{nameof(Model.OpsetImports)}.");
        Entries.RequireVersions(model.OpsetImports, "The model");
        var functions = new HashSet<FunctionId>();
        foreach (var function in model.Functions)
        {
            if (function.Name.Length == 0)
                throw new ModelFormatException($"A function of domain '{Entries.Show(function.Domain)}' has no name. Give it one.");
            if (!functions.Add(FunctionRules.Id(function)))
                throw new ModelFormatException($"Function {FunctionRules.Id(function)} is defined twice. Keep one, or give them overload names.");
            Entries.RequireVersions(function.OpsetImports, $"Function {FunctionRules.Id(function)}");
        }

        FunctionRules.RequireAcyclic([.. model.Functions]);
        foreach (var function in model.Functions)
            new Walk(function.OpsetImports, functions).Visit(function.Body);
        new Walk(model.OpsetImports, functions).Visit(model.Graph);
    }

    private sealed class Walk(IDictionary<string, long> opsets, HashSet<FunctionId> functions)
    {
        private readonly HashSet<Value> known = [];

        public void Visit(Graph graph)
        {
            var own = new List<Value>();
            if (graph.Inputs.GroupBy(i => i).FirstOrDefault(same => same.Count() > 1) is { Key: var twice })
                throw new ModelFormatException($"Graph '{graph.Name}' lists input '{twice.Name}' twice. Keep one.");
            foreach (var value in graph.Inputs.Concat(graph.Initializers).Concat(graph.SparseInitializers.Select(s => graph.Find(s.Name ?? "")).OfType<Value>()))
                Learn(value);
            foreach (var node in graph.Nodes)
            {
                RequireOperator(graph, node);
                foreach (var input in node.Inputs.OfType<Value>().Where(input => !known.Contains(input)))
                    throw Unknown(graph, node, input);
                foreach (var inner in node.Subgraphs)
                    Visit(inner);
                foreach (var output in node.Outputs.OfType<Value>())
                    Learn(output);
            }

            if (graph.Outputs.FirstOrDefault(o => !known.Contains(o)) is { } missing)
                throw new ModelFormatException($"Graph '{graph.Name}' returns '{missing.Name}', which nothing in it or around it makes. Add its maker, or drop the output.");
            known.ExceptWith(own);

            void Learn(Value value)
            {
                if (value.Name.Length == 0 || graph.Find(value.Name) != value)
                    throw new ModelFormatException($"Graph '{graph.Name}' holds value '{value.Name}', which {(value.Name.Length == 0 ? "has no name" : "was removed from it or belongs to another graph")}. Use values of the graph only.");
                if (known.Add(value))
                    own.Add(value);
            }
        }

        private void RequireOperator(Graph graph, Node node)
        {
            if (node.OpType.Length == 0)
                throw new ModelFormatException($"Graph '{graph.Name}': {node} has no operator type. Give it one.");
            if (!opsets.ContainsKey(node.Domain) && !functions.Contains(new(node.Domain, node.OpType, node.Overload)))
                throw new ModelFormatException($"{node} is of domain '{Entries.Show(node.Domain)}', which no opset import names. Add the import.");
        }

        private static ModelFormatException Unknown(Graph graph, Node node, Value input)
        {
            if (input.Producer is not { } maker || input.Graph.Find(input.Name) != input)
                return new($"{node} in graph '{graph.Name}' reads '{input.Name}', which nothing makes. Add its maker, or make it an input.");
            // A node that holds the reader, or the value's own graph, may close the cycle.
            return input.Graph.FindCycle() is { } cycle
                ? new($"Graph '{input.Graph.Name}' has a cycle: {cycle}. ONNX graphs must be acyclic; remove one of these connections.")
                : new($"{node} in graph '{graph.Name}' reads '{input.Name}' before {maker} makes it. Call {nameof(Graph)}.{nameof(Graph.SortTopologically)} first, which puts nodes in order.");
        }
    }
}
