using Google.Protobuf.Collections;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>Reads models. The message is used up.</summary>
internal sealed class ModelReader(ExternalFolder? folder)
{
    private readonly TensorReader tensors = new(folder);
    private readonly List<string> early = [];

    public Model Read(ModelProto proto)
    {
        if (proto.Graph is null)
            throw new ModelFormatException("The model has no graph. Is it an ONNX model?");
        if (proto.IrVersion < 1)
            throw new ModelFormatException("The model has no ir_version, which every runtime asks for. Set it to the one that fits its operators, such as 8.");
        if (proto.OpsetImport.Count == 0)
            throw new ModelFormatException("The model has no opset_import. Add one that names the operator set version it was written for.");
        var opsets = new OrderedDictionary<string, long>();
        Entries.Read(proto.OpsetImport, opsets, "The model");
        var ids = FunctionIds(proto.Functions);
        var functions = proto.Functions.Select(function => ReadFunction(function, ids)).ToArray();
        FunctionRules.RequireAcyclic(functions);
        var model = new Model(new GraphReader(tensors, opsets, ids, early).Read(proto.Graph))
        {
            IrVersion = proto.IrVersion,
            ProducerName = proto.HasProducerName ? proto.ProducerName : null,
            ProducerVersion = proto.HasProducerVersion ? proto.ProducerVersion : null,
            Domain = proto.HasDomain ? proto.Domain : null,
            ModelVersion = proto.HasModelVersion ? proto.ModelVersion : null,
            DocString = proto.HasDocString ? proto.DocString : null,
            Findings = early.Count == 0 ? [] : [new("SortNodes", FindingKind.Changed, early, "nodes that stood before nodes they read from are put in order.")],
        };
        foreach (var (domain, version) in opsets)
            model.OpsetImports[domain] = version;
        foreach (var function in functions)
            model.Functions.Add(function);
        Entries.Read(proto.MetadataProps, model.Metadata);
        proto.Graph = null;
        proto.Functions.Clear();
        model.Residue = Residues.Of(proto, ModelWriter.Shell(model));
        return model;
    }

    private static HashSet<FunctionId> FunctionIds(RepeatedField<FunctionProto> functions)
    {
        var ids = new HashSet<FunctionId>(functions.Count);
        foreach (var function in functions)
        {
            var id = new FunctionId(Entries.Domain(function.Domain), function.Name, function.Overload);
            if (function.Name.Length == 0)
                throw new ModelFormatException($"A function of domain '{Entries.Show(id.Domain)}' has no name.");
            if (!ids.Add(id))
                throw new ModelFormatException($"Function {id} is defined twice. Keep one, or give them overload names.");
        }

        return ids;
    }

    private Function ReadFunction(FunctionProto proto, HashSet<FunctionId> ids)
    {
        var id = new FunctionId(Entries.Domain(proto.Domain), proto.Name, proto.Overload);
        var opsets = new OrderedDictionary<string, long>();
        Entries.Read(proto.OpsetImport, opsets, $"Function {id}");
        var reader = new GraphReader(tensors, opsets, ids, early);
        var function = new Function(id.Domain, id.Name, reader.ReadBody(proto, $"Function {id}"))
        {
            Overload = id.Overload,
            DocString = proto.HasDocString ? proto.DocString : null,
        };
        foreach (var (domain, version) in opsets)
            function.OpsetImports[domain] = version;
        foreach (var name in proto.Attribute)
            function.AttributeNames.Add(name);
        foreach (var attribute in proto.AttributeProto)
            function.AttributeDefaults.Add(reader.ReadAttribute(attribute, $"function {id}"));
        Entries.Read(proto.MetadataProps, function.Metadata);
        proto.Input.Clear();
        proto.Output.Clear();
        proto.Node.Clear();
        proto.ValueInfo.Clear();
        proto.Attribute.Clear();
        proto.AttributeProto.Clear();
        function.Residue = Residues.Of(proto, ModelWriter.Shell(function));
        return function;
    }
}
