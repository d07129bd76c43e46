using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Import;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Supernets;

namespace OnnxNas.Cli;

/// <summary>A marked model, checked and ready: functions inlined, imported for training, types inferred.</summary>
internal sealed record MarkedModel(Model Model, SearchSpace Space, InferenceResult Types, ImportReport Import)
{
    /// <summary>Reads a marked model.</summary>
    /// <param name="path">The file.</param>
    /// <param name="patterns">What the user says about what trains.</param>
    /// <exception cref="ModelFormatException">The file is no usable model.</exception>
    /// <exception cref="ChoiceException">The markers are malformed, disagree, there are none, or a pattern does not fit the model.</exception>
    /// <exception cref="UnsupportedOperatorException">A node cannot run here.</exception>
    public static MarkedModel Read(string path, TrainingPatterns? patterns = null)
    {
        var model = OnnxFile.Read(path);
        OperatorRegistry.RequireSupported(model);
        Inline(model);
        // Read before dead nodes go, so that malformed markers among them are refused too.
        var marked = SearchSpace.Read(model).Choices.Count > 0;
        var import = TrainingImport.Report(model, patterns);
        if (!marked || SearchSpace.Read(model).Choices.Count == 0)
        {
            throw new ChoiceException($"'{path}' has no choices{(marked ? " that an output depends on" : "")}. " +
                "Mark it with org.onnxnas LayerChoice or InputChoice nodes first; the README shows how.");
        }

        return Of(model, import);
    }

    /// <summary>The same model once it was changed: its choices and types read anew.</summary>
    public MarkedModel Again() => Of(Model, Import);

    private static MarkedModel Of(Model model, ImportReport import)
    {
        var declared = new DeclaredOutputs(model.Graph);
        var types = ShapeInference.Run(model, SupernetOperators.Registry, strict: true);
        declared.Restore();
        return new(model, SearchSpace.Read(model), types, import);
    }

    /// <summary>Drops the functions that stand for markers, and puts the bodies of all others in place of their calls.</summary>
    public static void Inline(Model model)
    {
        SupernetOperators.RequireNone(model);
        MarkerFunctions.Remove(model);
        new InlineFunctions(SupernetOperators.Registry.IsSameVersion).Run(model);
    }
}
