using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

public sealed class MyMix(Choice choice, double[] initial) : ChoiceModule
{
    public Parameter Alpha { get; } = new(tensor(initial, float32));
    public override IEnumerable<Parameter> ArchitectureParameters => [Alpha];
    public override Tensor Forward(ILazyInputs candidates)
    {
        var p = choice is InputChoice { ChosenCount: 0 } ? Alpha.sigmoid() : Alpha.softmax(0);
        p = choice is InputChoice { ChosenCount: 0, Reduction: Reduction.Mean } ? p / p.sum() : p;
        return WeightedSum(choice is InputChoice { ChosenCount: > 1, Reduction: Reduction.Sum } several ? p.Times(several.ChosenCount) : p, candidates);
    }
}

public sealed class MyTrainer : OneShotTrainer
{
    private readonly Dictionary<string, MyMix> mixes = [];
    public MyTrainer(TrainingTask task) : base(task)
    {
        ReplaceLayerChoice(choice => mixes[choice.Label] = new MyMix(choice, InitialArchitecture(choice.Candidates.Count)));
        ReplaceInputChoice(choice => mixes[choice.Label] = new MyMix(choice, InitialArchitecture(choice.Candidates.Count)));
    }
    public override void Fit()
    {
        var weights = Task.Options.NewWeightOptimizer(Supernet.Weights);
        var alphas = new AdamOptimizer(Supernet.ArchitectureParameters, Task.Options.ArchLr, 0.5, 0.999, Task.Options.ArchWeightDecay);
        foreach (var epoch in Epochs(weights, alphas))
        {
            SetLearningRate(weights, epoch, Task.Options.Epochs);
            foreach (var (train, valid) in Task.Batches(epoch))
                (_, _) = (ArchitectureStep(alphas, valid), WeightStep(weights, train));
        }
    }
    public override Architecture Export() => Architecture.FromScores(Task.Space, choice => mixes[choice.Label].Alpha.data<float>().Select(a => (double)a), threshold: 0);
}
