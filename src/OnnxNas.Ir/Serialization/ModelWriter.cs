using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Writes models. External data that <paramref name="layout"/> has no place for stays where it is, or goes into the message where <paramref name="embeds"/> says so.</summary>
internal sealed class ModelWriter(ExternalLayout? layout, Func<TensorData, bool>? embeds = null)
{
    private readonly GraphWriter graphs = new(layout, embeds);

    public ModelProto Write(Model model)
    {
        var proto = Shell(model);
        proto.Graph = graphs.Write(model.Graph);
        proto.Functions.AddRange(model.Functions.Select(Write));
        return proto;
    }

    /// <summary>The message without graph and functions.</summary>
    public static ModelProto Shell(Model model)
    {
        var proto = Residues.Start<ModelProto>(model.Residue);
        if (proto.IrVersion != model.IrVersion)
            proto.IrVersion = model.IrVersion;
        Residues.Set(model.ProducerName, text => proto.ProducerName = text, proto.ClearProducerName);
        Residues.Set(model.ProducerVersion, text => proto.ProducerVersion = text, proto.ClearProducerVersion);
        Residues.Set(model.Domain, text => proto.Domain = text, proto.ClearDomain);
        Residues.Set(model.DocString, text => proto.DocString = text, proto.ClearDocString);
        if (model.ModelVersion is { } version)
            proto.ModelVersion = version;
        else
            proto.ClearModelVersion();
        Entries.Write(model.OpsetImports, proto.OpsetImport);
        Entries.Write(model.Metadata, proto.MetadataProps);
        return proto;
    }

    /// <summary>The message without formals, attributes, nodes and value infos.</summary>
    public static FunctionProto Shell(Function function)
    {
        var proto = Residues.Start<FunctionProto>(function.Residue);
        if (proto.Name != function.Name)
            proto.Name = function.Name;
        if (Entries.Domain(proto.Domain) != function.Domain)
            proto.Domain = function.Domain;
        if (proto.Overload != function.Overload)
            proto.Overload = function.Overload;
        Residues.Set(function.DocString, text => proto.DocString = text, proto.ClearDocString);
        Entries.Write(function.OpsetImports, proto.OpsetImport);
        Entries.Write(function.Metadata, proto.MetadataProps);
        return proto;
    }

    private FunctionProto Write(Function function)
    {
        var proto = Shell(function);
        graphs.WriteBody(function.Body, proto);
        proto.Attribute.AddRange(function.AttributeNames);
        proto.AttributeProto.AddRange(function.AttributeDefaults.Select(graphs.Write));
        return proto;
    }
}
