#:project ../../src/OnnxNas.Cli/OnnxNas.Cli.csproj
#:property PublishAot=false
// Strategies of your own and the whole command line with them, in one file:  dotnet run tests/Examples/trainer.cs -- --epochs 2
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Operators;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

StrategyCatalog.Add(typeof(MyTrainer).Assembly);
string[] strategy = args.Contains("--strategy") ? [] : ["--strategy", "MyTrainer"];
return CommandLine.Run(["search", "models/shapes.onnx", .. strategy, .. args], Console.Out, Console.Error);

// All of DARTS, from the modules in place of choices to Fit and Export.

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

// Or one thing changed.

/// <summary>DARTS, but the logits are doubled, so that the mix is nearer to a decision; α takes its first step in the second epoch.</summary>
[Strategy("sharpened", "DARTS with a sharper softmax")]
public sealed class Sharpened : RelaxedTrainer
{
    public Sharpened(TrainingTask task) : base(task) => Relax();

    // Changes the mixing: what the weights of a choice are the softmax of.
    protected override Value Logits(Choice choice, Node marker) =>
        marker.Graph.Call("Mul", [Alpha(choice), marker.Graph.AddConstant($"{marker.Output.Name}/two", TensorData.Scalar(2f))], before: marker);

    // Changes one of the two steps.
    protected override void StepArchitecture(Batch train, Batch valid)
    {
        if (Epoch > 0)
            base.StepArchitecture(train, valid);
    }
}
