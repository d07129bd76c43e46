using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Search.Data;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Objectives;

/// <summary>Decides what is trained: which output, in front of what, by which loss, along which axis, and how labels are read.</summary>
public sealed class ObjectiveReader
{
    private const int FewSamples = 10;
    private readonly Graph graph;
    private readonly InferenceResult types;
    private readonly SearchOptions options;
    private readonly ModelEndReader ends;
    private readonly IReadOnlyList<Dataset> parts;
    private readonly LabelFacts labels;

    private ObjectiveReader(Model model, InferenceResult types, IReadOnlyList<Dataset> parts, SearchOptions options)
    {
        (graph, this.types, this.options, this.parts) = (model.Graph, types, options, parts);
        ends = new(model, types);
        labels = new(parts);
    }

    /// <summary>The objective of a search.</summary>
    /// <param name="model">The model, marked or plain.</param>
    /// <param name="types">Its types.</param>
    /// <param name="parts">All samples: those to split, and those given apart.</param>
    /// <param name="options">The settings, which may name the loss, the output and the axis of classes.</param>
    /// <exception cref="UsageException">The options name a loss or an output that there is not.</exception>
    /// <exception cref="DataException">No loss can train an output on these labels; the message says what to do.</exception>
    public static Objective Read(Model model, InferenceResult types, IReadOnlyList<Dataset> parts, SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(types);
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(options);
        return new ObjectiveReader(model, types, parts, options).Read();
    }

    private Objective Read()
    {
        if (options.Loss is { } name)
            Loss.Named(name);
        var all = graph.Outputs.Select(ends.Read).ToList();
        var asked = options.Output is not { } output ? all : all.Where(e => e.Output.Name == output).ToList();
        if (asked.Count == 0)
            throw new UsageException($"--output is {Printable.Text(options.Output!)}; the outputs of the model are {Printable.List(graph.Outputs.Select(o => o.Name))}.");
        string? reason = null;
        foreach (var end in asked)
        {
            var misfit = end.Untrainable is { } why ? $"Output '{end.Output.Name}' cannot be trained: {why}." : null;
            if (misfit is null && Fit(end, out misfit) is { } fit)
                return Complete(fit, all);
            reason ??= misfit;
        }

        throw new DataException(all.Count == 1 || options.Output is not null ? reason! : $"{reason} No other output fits either; choose one with --output to see why.");
    }

    // What is known when the labels fit; null, and why, where their shape does not.
    private Fitting? Fit(ModelEnd end, out string? misfit)
    {
        if (types[end.Scores].Shape is not { Rank: > 0 } shape)
        {
            misfit = $"The shape of output '{end.Output.Name}' is not known; declare it in the model.";
            return null;
        }

        var fitting = new LabelFitting(end, shape, labels, options, parts, new ClassAxisTrace(types));
        misfit = fitting.Misfit;
        return fitting.Result;
    }

    private Objective Complete(Fitting fitting, List<ModelEnd> all)
    {
        var end = fitting.End;
        // Class numbers say less than the scores that they are made of.
        var scored = end.Form != OutputForm.Classes ? end : all.FirstOrDefault(e => e.Source.Equals(end.Source) && e.Form != OutputForm.Classes && e.Scores == e.Output) ?? end;
        var trainsInFront = end.Activation is not null && fitting.Loss.Name is Loss.CrossEntropy or Loss.Binary;
        List<string> understood = [];
        if (all.Count > 1)
            understood.Add($"output '{end.Output.Name}' is trained{(options.Output is null ? ", the first that fits the labels (--output chooses another)" : "")}");
        if (trainsInFront)
            understood.Add($"trained on '{end.Front}', in front of the final {end.MadeBy}");
        else if (end.Decision is not null)
            understood.Add($"trained on '{end.Scores.Name}', in front of the final {end.Decision}");
        return new()
        {
            Loss = fitting.Loss,
            End = end,
            Scored = scored,
            TrainsInFront = trainsInFront,
            ChosenOutput = all.Count > 1 ? end.Output.Name : null,
            Notes = [.. understood, .. fitting.Notes],
            Warnings = [.. Warn(fitting, trainsInFront)],
            Labels = fitting.Labels,
        };
    }

    private IEnumerable<string> Warn(Fitting fitting, bool trainsInFront)
    {
        var (end, loss) = (fitting.End, fitting.Loss);
        if (!trainsInFront && loss.Name is Loss.CrossEntropy or Loss.Binary && ProbabilityTrace.AreAll(end.Scores))
            yield return $"Output '{end.Scores.Name}' seems to hold probabilities already, and {loss.Name} takes logits. The scores in front of it were not found, so that the loss is applied to the probabilities and the model learns slowly. End the model in logits, or in one Softmax or Sigmoid.";
        var count = parts[0].Count;
        if (count < FewSamples)
            yield return $"There are {count} samples only: neither the training nor the scores mean much.";
        if (!loss.HasProbabilities && OnlyLabel(parts[0].WithLabels(fitting.Labels)) is { } only)
            yield return FormattableString.Invariant($"All labels are {only}: there is nothing to learn.");
    }

    // Of the samples to train on: those given apart may be as they like.
    private static double? OnlyLabel(Dataset data)
    {
        var (min, max) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (var array in data.LabelArrays)
            DatasetChecks.ForEach(array, (label, _) => (min, max) = (Math.Min(min, label), Math.Max(max, label)));
        return min == max ? min : null;
    }
}
