namespace OnnxNas.Ir.Inference;

/// <summary>
/// Walks a model in execution order and sets <see cref="Value.Type"/>. Types declared for graph inputs stand; for every
/// other value what the rules find is joined with what the file declares: a number beats a symbol, a symbol beats nothing.
/// Subgraphs are visited before the node that holds them. The bodies of model-local functions are not: a call of one has
/// the types that its declarations, or a rule for its operator, give.
/// </summary>
public static class ShapeInference
{
    // Integer tensors up to this size are followed element by element: shapes, axes, pads and the like.
    private const int MaxElements = 64;

    // Shapes of more axes, which no runtime has, are not followed: each node could add to them.
    private const int MaxRank = 64;

    /// <summary>Infers the types of a model's values.</summary>
    /// <param name="model">The model. Its nodes must be in execution order.</param>
    /// <param name="rules">The rules of the operators.</param>
    /// <param name="strict">Whether a node without a rule is an error; otherwise its outputs keep their declared types.</param>
    /// <exception cref="ShapeInferenceException">Inputs do not fit a node, or a declared type contradicts the inferred one.</exception>
    /// <exception cref="UnsupportedOperatorException"><paramref name="strict"/>, and a node has no rule.</exception>
    public static InferenceResult Run(Model model, ITypeRules rules, bool strict = false)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(rules);
        var walk = new Walk(rules, model.OpsetVersions(), strict);
        walk.Visit(model.Graph);
        return walk.Result;
    }

    private sealed class Walk(ITypeRules rules, IReadOnlyDictionary<string, int> opsets, bool strict)
    {
        public InferenceResult Result { get; } = new();

        public void Visit(Graph graph)
        {
            foreach (var input in graph.Inputs)
                Result.Set(input, new(Followed(input.Type)));
            var replaceable = graph.Inputs.ToHashSet();
            foreach (var initializer in graph.Initializers)
            {
                if (!replaceable.Contains(initializer))
                    SetConstant(initializer, initializer.Initializer!, () => $"Initializer '{initializer.Name}'");
            }

            foreach (var node in graph.Nodes)
                Visit(node);
        }

        private void Visit(Node node)
        {
            var context = new InferenceContext(
                node,
                [.. node.Inputs.Select(i => i is null ? null : Result[i])],
                [.. node.Inputs.Select(i => i is null ? null : Result.Constant(i))]);
            Result.Set(node, context);
            foreach (var inner in node.Subgraphs)
                VisitBody(context, inner);
            if (ConstantNode.Read(node) is { } constant)
            {
                SetConstant(node.Output, constant, () => $"{node}: output '{node.Output.Name}'");
                return;
            }

            var outcome = Ask(context) ?? [];
            Result.Set(node, outcome);
            for (var i = 0; i < node.Outputs.Count; i++)
            {
                if (node.Outputs[i] is { } output)
                    SetOutput(node, output, i < outcome.Count ? outcome[i] : null);
            }
        }

        private void VisitBody(InferenceContext context, Graph body)
        {
            var known = rules.BodyInputs(context, body, opsets);
            for (var i = 0; i < Math.Min(known.Count, body.Inputs.Count); i++)
                body.Inputs[i].Type ??= known[i];
            try
            {
                Visit(body);
            }
            catch (ShapeInferenceException) when (context.Node is { OpType: "If", Domain: "" })
            {
                // A branch that could not run on these inputs is one that is not taken on them, until a run shows otherwise.
            }
        }

        private IReadOnlyList<InferredValue?>? Ask(InferenceContext context)
        {
            string reason;
            try
            {
                if (rules.Infer(context, opsets) is { } outcome)
                    return outcome;
                reason = $"{context.Node}: there is no type rule for the operator.";
            }
            catch (UnsupportedOperatorException e) when (!strict)
            {
                reason = e.Message;
            }
            catch (Exception e) when (e is OverflowException or DivideByZeroException)
            {
                throw new ShapeInferenceException($"{context.Node}: its attributes and inputs give no usable shape ({e.Message}).", e);
            }

            if (strict)
                throw new UnsupportedOperatorException($"{reason} Replace the node, or add the operator.");
            Result.Skip(context.Node, reason);
            return null;
        }

        private void SetOutput(Node node, Value output, InferredValue? inferred)
        {
            output.Type = TypeMerge.Merge(inferred?.Type, output.Type, () => Conflict($"{node}: output '{output.Name}'", output.Type, inferred?.Type, "its inputs give"));
            output.Type = Followed(output.Type);
            Result.Set(output, new(output.Type, inferred?.Elements is { Count: <= MaxElements } elements ? elements : null));
        }

        private static OnnxType? Followed(OnnxType? type) => type is TensorType { Shape.Rank: > MaxRank } tensor ? tensor with { Shape = null } : type;

        private void SetConstant(Value value, TensorData data, Func<string> place)
        {
            var type = new TensorType(data.Type, Shape.Of(data.Dims));
            value.Type = TypeMerge.Merge(type, value.Type, () => Conflict(place(), value.Type, type, "it holds"));
            var isSmallInteger = data.Type is ElementType.Int64 or ElementType.Int32 && data.ElementCount <= MaxElements;
            Result.Set(value, new(value.Type, isSmallInteger ? [.. data.ToInt64s().Select(Dim.Known)] : null), data);
        }

        private static ShapeInferenceException Conflict(string place, OnnxType? declared, OnnxType? found, string how) =>
            new($"{place} is declared {declared}, but {how} {found}. Correct the declaration or remove it.");
    }
}
