namespace OnnxNas.Ir.Passes.Import;

/// <summary>
/// If(c, { w = initializer; MatMul(x, w) }) → w = initializer; If(c, { MatMul(x, w) }), where w trains.
/// </summary>
/// <remarks>
/// Requires that <see cref="TrainingDecision"/> has been made. Ensures that all that trains is an initializer of the main graph, by whose name weights are written back. Names stay, unless
/// another graph of the model has one of that name.
/// </remarks>
public sealed class HoistBodyParameters : ImportPass
{
    /// <inheritdoc/>
    protected override int Import(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var editor = new GraphEditor(model);
        var hoisted = new List<string>();
        foreach (var body in editor.Graphs.Skip(1))
        {
            foreach (var value in body.Initializers.Where(v => v is { Trains: true, IsInput: false }).ToList())
            {
                var name = value.Name;
                while (editor.Graphs.Any(g => g != body && g.Find(name) is not null))
                    name += "_hoisted";
                // The name must not shadow the one that the body reads now.
                body.Rename(value, body.FreshName(name + "_body"));
                var constant = editor.AddConstant(model.Graph, name, value.Initializer!);
                constant.Trains = true;
                editor.Replace(value, constant);
                body.RemoveValue(value);
                hoisted.Add(constant.Name);
            }
        }

        if (hoisted.Count > 0)
            Report(FindingKind.Changed, hoisted, "parameters of bodies (If, Loop, Scan) become initializers of the model, which train.");
        return hoisted.Count;
    }
}
