#:project ../../src/OnnxNas.Cli/OnnxNas.Cli.csproj
#:property PublishAot=false
// A strategy of your own as one file:  dotnet run tests/Examples/trainer.cs -- --epochs 2
using OnnxNas.Cli;
using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Training;

StrategyCatalog.Add(typeof(Sharpened).Assembly);
return CommandLine.Run(["search", "models/shapes.onnx", "--strategy", "sharpened", .. args], Console.Out, Console.Error);

/// <summary>DARTS, but the logits are doubled, so that the mix is nearer to a decision; α takes its first step in the second epoch.</summary>
[Strategy("sharpened", "DARTS with a sharper softmax")]
internal sealed class Sharpened : RelaxedTrainer
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
