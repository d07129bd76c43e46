using OnnxNas.Ir;

namespace OnnxNas.Search.Rewriting;

/// <summary>
/// The form of a model that trains has the value that is trained on as its first output, in front of all that its file has. <see cref="Pruner.Finish"/> takes it off again.
/// </summary>
public static class TrainingForm
{
    // Not of the markers' domain, whose traces a pruned model loses while it still trains.
    private const string Key = "training_form.first_output_is_trained";

    /// <summary>Makes a value the first output; one that is an output already gets a copy there, or stays where it is the first.</summary>
    public static void Apply(Graph graph, Value trained)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(trained);
        if (graph.Outputs[0] == trained)
            return;
        if (trained.IsOutput || trained.IsInput)
            trained = graph.Call("Identity", [trained], trained.Name + "_trained");
        var outputs = graph.Outputs.ToList();
        graph.AddOutput(trained);
        foreach (var (i, output) in outputs.Prepend(trained).Index())
            graph.ReplaceOutput(i, output);
        graph.Metadata[Key] = "1";
    }

    /// <summary>Puts back the outputs of the file. A model that has them is left alone.</summary>
    public static void Restore(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (graph.Metadata.Remove(Key))
            graph.RemoveOutput(0);
    }
}
