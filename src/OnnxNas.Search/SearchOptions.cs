using System.ComponentModel;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Training;
using TorchSharp.Modules;

namespace OnnxNas.Search;

/// <summary>
/// Every setting of a search: the keys of <c>config.json</c> (in snake case) and the options of the command line are its properties.
/// </summary>
public sealed record SearchOptions
{
    /// <summary>The strategy's name.</summary>
    [Description("How to search")]
    public string Strategy { get; init; } = "darts";

    /// <summary>A .NET library whose trainers are strategies too.</summary>
    [Description("A .NET library (.dll) with trainers of your own")]
    public string? Plugin { get; init; }

    /// <summary>The data file; null = MODEL with .npz in place of .onnx.</summary>
    [Description("Samples and labels; without it, MODEL with .npz in place of .onnx")]
    public string? Data { get; init; }

    /// <summary>Validation samples of their own.</summary>
    [Description("Validation samples of their own")]
    public string? Valid { get; init; }

    /// <summary>Test samples of their own.</summary>
    [Description("Test samples of their own")]
    public string? Test { get; init; }

    /// <summary>The share of all samples kept for the test, where no test data is given.</summary>
    [Description("Share of the samples kept for the test, where none are given")]
    public double TestFraction { get; init; } = 0.2;

    /// <summary>The share of the rest that the architecture is trained on.</summary>
    [Description("Share of the rest that the architecture is trained on")]
    public double ValidFraction { get; init; } = 0.5;

    /// <summary>Patterns (<c>*</c>, <c>?</c>) of float initializers that are not trained.</summary>
    [Description("Initializers that are not trained: a name, or a pattern with * and ?; repeat it for several")]
    public IReadOnlyList<string> Freeze { get; init => field = value.Count == 0 ? [] : value; } = [];

    /// <summary>Patterns of float initializers that are trained although there is a reason against it, or <see cref="Freeze"/> matches them.</summary>
    [Description("Initializers that are trained even where --freeze matches them or the tool would not train them: a name, or a pattern with * and ?; repeat it for several")]
    public IReadOnlyList<string> Train { get; init => field = value.Count == 0 ? [] : value; } = [];

    /// <summary>Passes over the training half while searching.</summary>
    [Description("Epochs of the search")]
    public int Epochs { get; init; } = 20;

    /// <summary>Samples per step.</summary>
    [Description("Samples per step")]
    public int BatchSize { get; init; } = 64;

    /// <summary>The first learning rate of the weights (DARTS, §A.1).</summary>
    [Description("Learning rate of the weights in the first epoch")]
    public double Lr { get; init; } = 0.025;

    /// <summary>How the learning rate of the weights goes on: <c>cosine</c> to <see cref="MinLr"/> over the epochs (DARTS, §A.1), <c>step</c> or <c>constant</c>.</summary>
    [Description("Learning rate of the weights by epoch: cosine, step or constant")]
    public string Schedule { get; init; } = "cosine";

    /// <summary>What the learning rate of the weights falls to along the cosine; null = 0.001, or <see cref="Lr"/> where that is smaller.</summary>
    [Description("cosine: what the learning rate of the weights falls to; 0.001 unless given, or --lr where that is smaller")]
    public double? MinLr { get; init; }

    /// <summary>Epochs of each learning rate of the step schedule.</summary>
    [Description("step: epochs after which the learning rate of the weights is multiplied by --step-factor, again and again")]
    public int StepEpochs { get; init; } = 10;

    /// <summary>The factor of the step schedule.</summary>
    [Description("step: what the learning rate of the weights is multiplied by")]
    public double StepFactor { get; init; } = 0.1;

    /// <summary>Momentum of the weights' SGD (DARTS, §A.1).</summary>
    [Description("Momentum of the weights")]
    public double Momentum { get; init; } = 0.9;

    /// <summary>Weight decay of the weights (DARTS, §A.1).</summary>
    [Description("Weight decay of the weights")]
    public double WeightDecay { get; init; } = 3e-4;

    /// <summary>
    /// <c>all</c> weights are decayed, or only <c>matrices</c>, so neither norms nor biases, as far as shapes tell: decayed is what has two axes exactly, or two that are longer than 1, or four and more whose first is
    /// longer than 1 (<c>[C,1,1,1]</c>, a convolution of one channel). Left alone are <c>[C]</c>, <c>[C,1,1]</c>, <c>[1,C,1,1]</c>, <c>[1,1,C]</c> and the like, even where <c>[1,C,1,1]</c> is a convolution to one channel.
    /// </summary>
    [Description("What is decayed: all, or matrices only, by shape: of two axes, with two axes longer than 1, or [C,1,1,1]; so not norms and biases of shape [C], [C,1,1], [1,C,1,1] or [1,1,C]")]
    public string Decay { get; init; } = "all";

    /// <summary>The largest norm of the weights' gradient; 0 = no clipping (DARTS, §A.1).</summary>
    [Description("Largest gradient norm of the weights; 0 = no clipping")]
    public double GradClip { get; init; } = 5;

    /// <summary>ε of the targets (1 − ε)·onehot + ε/C that the weights are trained on (Szegedy et al. 2016, §7); 0 = off. The architecture's loss and all that is scored stay plain.</summary>
    [Description("cross-entropy: share of a label that is spread over all classes, in the loss of the weights; 0 = off")]
    public double LabelSmoothing { get; init; }

    /// <summary>The learning rate of the architecture's Adam(0.5, 0.999) (DARTS, §A.1).</summary>
    [Description("Learning rate of the architecture")]
    public double ArchLr { get; init; } = 3e-4;

    /// <summary>Weight decay of the architecture (DARTS, §A.1).</summary>
    [Description("Weight decay of the architecture")]
    public double ArchWeightDecay { get; init; } = 1e-3;

    /// <summary>The cost that <see cref="PenaltyWeight"/> draws the search towards: <c>macs</c>, <c>params</c> or <c>latency</c>.</summary>
    [Description("What the search is to save: macs, params or latency (measured in ONNX Runtime)")]
    public string Cost { get; init; } = "macs";

    /// <summary>The cost that counts as 1 in the penalty: a number of MACs, parameters or milliseconds, or a percentage of the most expensive subnet.</summary>
    [Description("Cost aimed at: a number of MACs, parameters or milliseconds, or a percentage of the most expensive subnet")]
    public string CostTarget { get; init; } = "50%";

    /// <summary>How much the cost counts; 0 = not at all.</summary>
    [Description("Weight s of the cost in the loss of the architecture, or the reward; 0 = off")]
    public double PenaltyWeight { get; init; }

    /// <summary>How the cost joins the loss: <c>add</c> or <c>multiply</c>.</summary>
    [Description("add: loss + s*n; multiply: loss * (1+n)^s")]
    public string PenaltyForm { get; init; } = "add";

    /// <summary>What of x = cost/target - 1 counts as n: <c>linear</c>, <c>positive</c>, <c>negative</c> or <c>absolute</c>.</summary>
    [Description("n from x = cost/target - 1: linear x, positive max(0,x), negative min(0,x), absolute |x|")]
    public string PenaltyShape { get; init; } = "linear";

    /// <summary>The most parameters the winner may have, as a number or a percentage of the largest subnet; null = any.</summary>
    [Description("Most parameters of the winner: a number, or a percentage of the most expensive subnet")]
    public string? MaxParams { get; init; }

    /// <summary>The most MACs the winner may have, as a number or a percentage of the largest subnet; null = any.</summary>
    [Description("Most MACs of the winner: a number, or a percentage of the most expensive subnet")]
    public string? MaxMacs { get; init; }

    /// <summary>The most milliseconds the winner may take for a sample, as predicted from measurements in ONNX Runtime; null = any.</summary>
    [Description("Most milliseconds of the winner in ONNX Runtime: a number, or a percentage of the slowest subnet")]
    public string? MaxLatencyMs { get; init; }

    /// <summary>The most LayerChoices of the winner that may be decided for an identity (DARTS+: Liang et al. 2019); null = any.</summary>
    [Description("Most skips of the winner: choices decided for a candidate that hands its input on")]
    public int? MaxSkips { get; init; }

    /// <summary>Whether the search ends when the largest eigenvalue of the Hessian of the validation loss in the architecture rises (R-DARTS: Zela et al. 2020, §4.3).</summary>
    [UsedBy("darts", "gumbel", "pc-darts")]
    [Description("Stop when the largest eigenvalue of the validation loss' Hessian in the architecture rises, and go back to before")]
    public bool EigenvalueStop { get; init; }

    /// <summary>Epochs that an eigenvalue is averaged over, and that lie between the averages which are compared.</summary>
    [Description("Epochs that --eigenvalue-stop averages over, and that it looks back")]
    public int EigenvalueWindow { get; init; } = 5;

    /// <summary>How many times its earlier value the averaged eigenvalue may be.</summary>
    [Description("How many times its earlier value the averaged eigenvalue may be before --eigenvalue-stop stops")]
    public double EigenvalueRatio { get; init; } = 1.3;

    /// <summary>Whether choices that offer an identity have a second one beside them while searching, which fades out (DARTS−: Chu et al. 2021, §3.2).</summary>
    [UsedBy("darts", "gumbel", "pc-darts")]
    [Description("A skip beside each choice that offers one, which fades out over the epochs")]
    public bool AuxiliarySkip { get; init; }

    /// <summary>Epochs at the start in which the architecture takes no step.</summary>
    [Description("Epochs at the start in which only the weights are trained")]
    public int WarmupEpochs { get; init; }

    /// <summary>Whether darts looks one weight step ahead (second order).</summary>
    [UsedBy("darts")]
    [Description("Second order, the architecture's gradient through one step of the weights")]
    public bool Unrolled { get; init; }

    /// <summary>The first temperature of a strategy that has one; null = its paper's.</summary>
    [UsedBy("gumbel", "gdas")]
    [Description("First temperature; the paper's unless given")]
    public double? Temperature { get; init; }

    /// <summary>The temperature of the last epoch; null = the paper's.</summary>
    [UsedBy("gumbel", "gdas")]
    [Description("Temperature of the last epoch; the paper's unless given")]
    public double? MinTemperature { get; init; }

    /// <summary><c>two-path</c> or <c>full</c>.</summary>
    [UsedBy("proxyless")]
    [Description("Paths that run in a step of the architecture, two-path or full")]
    public string ProxylessGradient { get; init; } = "two-path";

    /// <summary>K of PC-DARTS: one in K channels is mixed.</summary>
    [UsedBy("pc-darts")]
    [Description("One in this many channels is mixed")]
    public int ChannelParts { get; init; } = 4;

    /// <summary>Architectures a generation of evolution.</summary>
    [UsedBy("spos", "fairnas")]
    [Description("Architectures a generation of evolution")]
    public int Population { get; init; } = 50;

    /// <summary>Generations of evolution.</summary>
    [UsedBy("spos", "fairnas")]
    [Description("Generations of evolution")]
    public int Generations { get; init; } = 20;

    /// <summary>The best architectures that breed.</summary>
    [UsedBy("spos", "fairnas")]
    [Description("The best architectures, which breed")]
    public int Parents { get; init; } = 10;

    /// <summary>The probability that a mutation draws a label anew.</summary>
    [UsedBy("spos", "fairnas")]
    [Description("Probability that a mutation draws a label anew")]
    public double Mutation { get; init; } = 0.1;

    /// <summary>How many architectures a strategy draws; null = 50 for enas, √epochs for random.</summary>
    [UsedBy("enas", "random")]
    [Description("Architectures drawn and scored in the end (enas, 50 unless given), or trained (random, the root of --epochs unless given)")]
    public int? Samples { get; init; }

    /// <summary>Architectures drawn in each step of the controller.</summary>
    [UsedBy("enas")]
    [Description("Architectures drawn in each step of the controller")]
    public int ControllerSamples { get; init; } = 1;

    /// <summary>d of the controller's baseline b ← d·b + (1 − d)·R.</summary>
    [UsedBy("enas")]
    [Description("Decay of the moving average that rewards are compared with")]
    public double BaselineDecay { get; init; } = 0.99;

    /// <summary>The weight of the controller's entropy in the reward (Pham et al. 2018, §3.1).</summary>
    [UsedBy("enas")]
    [Description("Weight of the controller's entropy in the reward")]
    public double EntropyWeight { get; init; } = 1e-4;

    /// <summary>Training batches that a subnet's batch normalisation is recalibrated on before it is scored.</summary>
    [Description("Training batches that batch normalisation is recalibrated on before a subnet is scored")]
    public int RecalibrationBatches { get; init; } = 20;

    /// <summary>Passes over train and valid together for the winner; null = as many as <see cref="Epochs"/>, 0 = keep the supernet's weights.</summary>
    [Description("Epochs of retraining the winner, as many as --epochs unless given; 0 = keep the supernet's weights")]
    public int? RetrainEpochs { get; init; }

    /// <summary>The decay of the moving average of the winner's weights, which is what is written; 0 = the last weights themselves.</summary>
    [Description("Decay of the moving average of weights that retraining ends with; 0 = off")]
    public double Ema { get; init; }

    /// <summary>Where the winner's weights start: <c>inherit</c> from the supernet, or afresh from <c>scratch</c>.</summary>
    [Description("Where the winner's weights start: inherit, or scratch, which draws the weights of layers anew and leaves gates, temperatures, tables and recurrent weights as they are in the file")]
    public string Init { get; init; } = "inherit";

    /// <summary>Finalists of the search that are scored on validation; the best is the winner.</summary>
    [Description("Architectures scored on validation after the search, the best of which wins; 1 = the search's own choice")]
    public int Top { get; init; } = 5;

    /// <summary>Epochs that each finalist is trained on before it is scored, on the training samples and with the settings of the weights; 0 = scored with the supernet's weights.</summary>
    [Description("Epochs that each finalist is trained on before it is scored; 0 = scored with the supernet's weights")]
    public int FinalistEpochs { get; init; } = 2;

    /// <summary>Random architectures trained the same way as the winner, to compare it with.</summary>
    [Description("Random architectures that are trained the same way as the winner, to compare it with")]
    public int Baseline { get; init; }

    /// <summary>The loss's name; null = cross-entropy for integer labels, mse for others.</summary>
    [Description("cross-entropy, bce-with-logits, mse or mae; by the labels' type unless given")]
    public string? Loss { get; init; }

    /// <summary>The output that is trained, of a model with several; null = the first that fits the labels.</summary>
    [Description("Output of the model that the loss is applied to; the first that fits the labels unless given")]
    public string? Output { get; init; }

    /// <summary>The axis of the output that classes lie along, the batch being axis 0; null = as the end of the model, the labels' shape or the last layer tell.</summary>
    [Description("cross-entropy: axis of the output along which the classes lie, counted from 0, the samples; found from the model and the labels unless given")]
    public int? ClassAxis { get; init; }

    /// <summary>Determines the split, the data order, the initial architecture and dropout.</summary>
    [Description("Seed of everything drawn")]
    public int Seed { get; init; }

    /// <summary>Threads of libtorch and ONNX Runtime; 0 = one a core, which is also the most that is used.</summary>
    [Description("Threads, at most one a core; 0 = one a core")]
    public int Threads { get; init; }

    /// <summary><c>cpu</c> or <c>cuda</c>.</summary>
    [Description("cpu or cuda")]
    public string Device { get; init; } = "cpu";

    /// <summary>Passes over the data for the winner.</summary>
    public int EffectiveRetrainEpochs() => RetrainEpochs ?? Epochs;

    /// <summary>What the learning rate of the weights falls to along the cosine.</summary>
    public double EffectiveMinLr() => MinLr ?? Math.Min(0.001, Lr);

    /// <summary>Threads of libtorch and ONNX Runtime on this machine: never more than it has cores, since far more never come to an end of starting.</summary>
    public int EffectiveThreads() => Threads > 0 ? Math.Min(Threads, Environment.ProcessorCount) : Environment.ProcessorCount;

    /// <summary>An optimizer of weights with these settings.</summary>
    public SgdOptimizer NewWeightOptimizer(IEnumerable<Parameter> weights) =>
        new(weights, Lr, Momentum, WeightDecay, Decay == "matrices" ? IsMatrix : null);

    /// <summary>Checks ranges.</summary>
    /// <returns>These options.</returns>
    /// <exception cref="ArgumentException">A value is out of its range; the message is one for the user.</exception>
    public SearchOptions Checked()
    {
        Require(!string.IsNullOrEmpty(Strategy), "strategy", Strategy, "a name");
        Require(Epochs >= 1, "epochs", Epochs, "at least 1");
        Require(BatchSize >= 1, "batch-size", BatchSize, "at least 1");
        Require(Lr is > 0 and <= float.MaxValue, "lr", Lr, "more than 0 and at most 3.4e38");
        Require(Schedule is "cosine" or "step" or "constant", "schedule", Schedule, "cosine, step or constant");
        Require(MinLr is null or >= 0 and <= double.MaxValue && !(MinLr > Lr && Schedule == "cosine"), "min-lr", MinLr ?? 0, "between 0 and --lr");
        Require(StepEpochs >= 1, "step-epochs", StepEpochs, "at least 1");
        Require(StepFactor is > 0 and <= 1, "step-factor", StepFactor, "more than 0 and at most 1");
        Require(LabelSmoothing is >= 0 and < 1, "label-smoothing", LabelSmoothing, "at least 0 and less than 1");
        Require(Ema is >= 0 and < 1, "ema", Ema, "at least 0 and less than 1");
        Require(Momentum is >= 0 and < 1, "momentum", Momentum, "at least 0 and less than 1");
        Require(double.IsFinite(WeightDecay) && WeightDecay >= 0, "weight-decay", WeightDecay, "at least 0");
        Require(Decay is "all" or "matrices", "decay", Decay, "all or matrices");
        Require(WarmupEpochs >= 0 && WarmupEpochs < Epochs, "warmup-epochs", WarmupEpochs, "at least 0 and less than --epochs");
        Require(Temperature is null or > 0 and <= float.MaxValue, "temperature", Temperature ?? 0, "more than 0");
        Require(MinTemperature is null or > 0 and <= float.MaxValue, "min-temperature", MinTemperature ?? 0, "more than 0");
        Require(!(MinTemperature > Temperature), "temperature", Temperature ?? 0, FormattableString.Invariant($"at least --min-temperature, which is {MinTemperature} (each is the strategy's own unless given)"));
        Require(ProxylessGradient is "two-path" or "full", "proxyless-gradient", ProxylessGradient, "two-path or full");
        Require(ChannelParts >= 1, "channel-parts", ChannelParts, "at least 1");
        Require(Population >= 1, "population", Population, "at least 1");
        Require(Generations >= 1, "generations", Generations, "at least 1");
        Require(Parents >= 1, "parents", Parents, "at least 1");
        Require(Samples is null or >= 1, "samples", Samples ?? 0, "at least 1");
        Require(ControllerSamples >= 1, "controller-samples", ControllerSamples, "at least 1");
        Require(BaselineDecay is >= 0 and < 1, "baseline-decay", BaselineDecay, "at least 0 and less than 1");
        Require(double.IsFinite(EntropyWeight) && EntropyWeight >= 0, "entropy-weight", EntropyWeight, "at least 0");
        Require(Top >= 1, "top", Top, "at least 1");
        Require(FinalistEpochs >= 0, "finalist-epochs", FinalistEpochs, "at least 0");
        Require(Baseline >= 0, "baseline", Baseline, "at least 0");
        Require(RecalibrationBatches >= 1, "recalibration-batches", RecalibrationBatches, "at least 1");
        Require(Mutation is > 0 and <= 1, "mutation", Mutation, "more than 0 and at most 1");
        Require(double.IsFinite(GradClip) && GradClip >= 0, "grad-clip", GradClip, "at least 0");
        Require(double.IsFinite(ArchLr) && ArchLr > 0, "arch-lr", ArchLr, "more than 0");
        Require(double.IsFinite(ArchWeightDecay) && ArchWeightDecay >= 0, "arch-weight-decay", ArchWeightDecay, "at least 0");
        Require(Cost is "macs" or "params" or "latency", "cost", Cost, "macs, params or latency");
        RequireAmount("cost-target", CostTarget);
        Require(double.IsFinite(PenaltyWeight) && PenaltyWeight >= 0, "penalty-weight", PenaltyWeight, "at least 0");
        Require(PenaltyForm is "add" or "multiply", "penalty-form", PenaltyForm, "add or multiply");
        Require(PenaltyShape is "linear" or "positive" or "negative" or "absolute", "penalty-shape", PenaltyShape, "linear, positive, negative or absolute");
        RequireAmount("max-params", MaxParams);
        RequireAmount("max-macs", MaxMacs);
        RequireAmount("max-latency-ms", MaxLatencyMs);
        Require(MaxSkips is null or >= 0, "max-skips", MaxSkips ?? 0, "at least 0");
        Require(EigenvalueWindow >= 1, "eigenvalue-window", EigenvalueWindow, "at least 1");
        Require(EigenvalueRatio is > 1 and <= float.MaxValue, "eigenvalue-ratio", EigenvalueRatio, "more than 1");
        Require(RetrainEpochs is null or >= 0, "retrain-epochs", RetrainEpochs ?? 0, "at least 0");
        Require(TestFraction is >= 0 and < 1, "test-fraction", TestFraction, "at least 0 and less than 1");
        Require(ValidFraction is > 0 and < 1, "valid-fraction", ValidFraction, "more than 0 and less than 1");
        Require(ClassAxis is not 0, "class-axis", ClassAxis, "another axis than 0, which is the samples");
        Require(Threads >= 0, "threads", Threads, "at least 0");
        Require(Init is "inherit" or "scratch", "init", Init, "inherit or scratch");
        Require(Device is "cpu" or "cuda", "device", Device, "cpu or cuda");
        return this;
    }

    // By the shape, as nothing else is known of a parameter. What a node broadcasts along the channels or the last axis is [C,1,1], [1,C,1,1] or [1,1,C]; a convolution of one input is [C,1,1,1].
    private static bool IsMatrix(Parameter weight) => weight.shape is [_, _] or [> 1, _, _, _, ..] || weight.shape.Count(n => n > 1) >= 2;

    private static void RequireAmount(string option, string? text) => Require(text is null || CostAmount.TryParse(text, out _), option, text, CostAmount.Expected);

    private static void Require<T>(bool holds, string option, T value, string expected)
    {
        if (!holds)
            throw new ArgumentException(FormattableString.Invariant($"--{option} is {value}; it must be {expected}."));
    }
}
