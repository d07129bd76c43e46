using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Operators.ControlFlow;

/// <summary>If, all versions: the outputs of <c>then_branch</c> or of <c>else_branch</c>. Only the branch taken runs; gradients flow through it.</summary>
internal sealed class If : ControlFlowOperator
{
    private const string Then = "then_branch";
    private const string Else = "else_branch";

    private readonly Graph thenBranch;
    private readonly Graph elseBranch;

    private If(NodeReader node)
    {
        if (!node.HasInput(0))
            throw node.Malformed("input 0 is missing; it is the condition.");
        thenBranch = Branch(Then);
        elseBranch = Branch(Else);

        Graph Branch(string name)
        {
            var graph = node.Attribute(name)?.AsGraph() ?? throw node.Malformed($"attribute '{name}' is missing; the operator needs it.");
            if (graph.Inputs.Count > 0 || graph.Outputs.Count != node.Node.Outputs.Count)
                throw node.Malformed($"{name} has {graph.Inputs.Count} inputs and {graph.Outputs.Count} outputs; it must have 0 and {node.Node.Outputs.Count}.");
            return graph;
        }
    }

    public override IReadOnlyList<OnnxType?> BodyInputs(InferenceContext context, Graph body) => [];

    public override bool TakesOneBody => true;

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        if (KnownElements.Of(context, 0) is [{ IsKnown: true } condition])
            return [.. (condition.Value != 0 ? thenBranch : elseBranch).Outputs.Select(o => new InferredValue(o.Type))];
        return [.. thenBranch.Outputs.Zip(elseBranch.Outputs, (a, b) => new InferredValue(BodyTypes.Either(a.Type, b.Type)))];
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, BodyRunner run, RunContext context)
    {
        var condition = inputs[0]!;
        if (condition.numel() != 1)
            throw new ShapeInferenceException($"the condition must be one bool, got {condition.numel()} elements.");
        return [.. run(condition.ToInt64s()[0] != 0 ? Then : Else, [])];
    }

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("If", [1, 11, 13, 16, 19, 21, 23, 24, 25], node => new If(node)) { Types = TypeSets.All }];
    }
}
