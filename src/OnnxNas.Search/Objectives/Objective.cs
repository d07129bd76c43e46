using OnnxNas.Ir;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Objectives;

/// <summary>
/// What is trained and what is scored: decided once, from the model, the data and the options, and used by the search, the retraining, the scores and the report alike.
/// </summary>
public sealed record Objective
{
    /// <summary>The loss, which knows where classes lie and what labels are.</summary>
    public required Loss Loss { get; init; }

    /// <summary>How the output that is trained comes about.</summary>
    public required ModelEnd End { get; init; }

    /// <summary>The output of the file that is scored: another form of the same answer where that says more, as probabilities do beside class numbers.</summary>
    public required ModelEnd Scored { get; init; }

    /// <summary>Whether the value in front of the Softmax or Sigmoid is what is trained on, and not the output itself.</summary>
    public required bool TrainsInFront { get; init; }

    /// <summary>What was inferred, a sentence each.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    /// <summary>What makes the result doubtful, a sentence each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>The name of the output that was chosen among several; null where there is one.</summary>
    public required string? ChosenOutput { get; init; }

    /// <summary>How an array of labels is read.</summary>
    public required Func<SampleArray, SampleArray> Labels { get; init; }

    /// <summary>The samples, with labels as the loss takes them.</summary>
    public Dataset Read(Dataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return data.WithLabels(Labels);
    }

    /// <summary>Gives the model, which this was decided for, the form that trains. Its types and choices are to be read anew then.</summary>
    /// <returns>Whether it was changed.</returns>
    public bool Apply(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var before = graph.Outputs.Count;
        TrainingForm.Apply(graph, TrainsInFront ? End.Activation!.Build() : End.Scores);
        return graph.Outputs.Count > before;
    }

    /// <summary>Fresh metrics of the value that is trained on, the one to judge by first.</summary>
    public IReadOnlyList<Metric> NewMetrics() =>
        MetricSet.For(Loss.Name, TrainsInFront || End.Activation is null ? OutputForm.Values : End.Activation.IsLogarithm ? OutputForm.LogProbabilities : OutputForm.Probabilities, Loss.ClassAxis);

    /// <summary>The fresh metric to judge by, of the value that is trained on.</summary>
    public Metric NewMetric() => NewMetrics()[0];

    /// <summary>Fresh metrics of <see cref="Scored"/>, the output of the file; their names are among those of <see cref="NewMetrics"/>.</summary>
    public IReadOnlyList<Metric> NewFileMetrics() => MetricSet.For(Loss.Name, Scored.Form, Loss.ClassAxis);

    /// <summary>An output of the file and the labels of its samples, as <see cref="NewFileMetrics"/> take them.</summary>
    /// <param name="output">What the file gives for <see cref="Scored"/>.</param>
    /// <param name="labels">The labels in the type of the loss.</param>
    public (TensorData Predictions, TensorData Labels) Scores(TensorData output, TensorData labels)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (Scored.FirstAlong is { } axis)
            output = Tensors.First(output, axis);
        return (output, Scored.Form == OutputForm.Classes && Loss.HasProbabilities ? Tensors.Largest(labels, Loss.ClassAxis) : labels);
    }
}
