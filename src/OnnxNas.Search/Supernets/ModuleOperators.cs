using OnnxNas.Ir.Inference;
using OnnxNas.Operators;
using static TorchSharp.torch;

namespace OnnxNas.Search.Supernets;

/// <summary><c>Module(y0 … yN-1)</c>: a choice computed by a <see cref="ChoiceModule"/>; attribute <c>index</c> says which of the supernet's.</summary>
internal sealed class ModuleOperators(IReadOnlyList<ChoiceModule> modules) : IOperatorFamily
{
    public const string Name = "Module";

    public IEnumerable<OperatorDefinition> Operators =>
        [new(Name, [1], node => new ModuleOperator(modules[(int)node.Int("index")])) { Domain = SupernetOperators.Domain }];

    private sealed class ModuleOperator(ChoiceModule module) : LazyOperator
    {
        public override IReadOnlyList<InferredValue?> Infer(InferenceContext context) => [new(context.Input(0).Type)];

        public override Tensor?[] Run(ILazyInputs inputs, RunContext context) => [module.Forward(inputs)];
    }
}
