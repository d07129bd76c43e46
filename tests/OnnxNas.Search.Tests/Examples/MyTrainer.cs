using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

public sealed class MyMix(Choice choice) : ChoiceModule
{
    public Parameter Alpha { get; } = new(randn(choice.Candidates.Count) * 1e-3);
    public override IEnumerable<Parameter> ArchitectureParameters => [Alpha];
    public override Tensor Forward(ILazyInputs candidates)
    {
        var p = Alpha.softmax(0).unbind(0);
        var n = choice is InputChoice { Reduction: Reduction.Sum } inputs ? inputs.ChosenCount : 1;
        return Enumerable.Range(0, candidates.Count).Select(k => n * p[k] * candidates[k]).Aggregate((a, b) => a + b);
    }
}

public sealed class MyTrainer : OneShotTrainer
{
    private readonly Dictionary<string, MyMix> mixes = [];
    public MyTrainer(TrainingTask task) : base(task)
    {
        ReplaceLayerChoice(choice => mixes[choice.Label] = new MyMix(choice));
        ReplaceInputChoice(choice => mixes[choice.Label] = new MyMix(choice));
    }
    public override void Fit()
    {
        var weights = new SgdOptimizer(Supernet.Weights, 0.025, momentum: 0.9);
        var alphas = new AdamOptimizer(Supernet.ArchitectureParameters, 3e-3);
        foreach (var epoch in Epochs(weights, alphas))
            foreach (var (train, valid) in Task.Batches(epoch))
            {
                ArchitectureStep(alphas, valid);
                WeightStep(weights, train);
            }
    }
    public override Architecture Export() => Architecture.FromScores(Task.Space, choice => mixes[choice.Label].Alpha.data<float>().Select(a => (double)a));
}
