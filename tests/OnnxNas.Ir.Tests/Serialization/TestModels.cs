using Google.Protobuf;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Small messages for tests to bend.</summary>
internal static class TestModels
{
    /// <summary>x → Relu → y, with float tensors [2,4].</summary>
    public static ModelProto Relu() => Of(new GraphProto
    {
        Name = "g",
        Input = { Info("x") },
        Output = { Info("y") },
        Node = { Node("Relu", ["x"], ["y"]) },
    });

    /// <summary>y = x + w, where w is the initializer given.</summary>
    public static ModelProto Add(TensorProto w)
    {
        w.Name = "w";
        return Of(new GraphProto { Name = "g", Input = { Info("x") }, Initializer = { w }, Output = { Info("y") }, Node = { Node("Add", ["x", "w"], ["y"]) } });
    }

    public static ModelProto Of(GraphProto graph) => new()
    {
        IrVersion = 8,
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } },
        Graph = graph,
    };

    public static NodeProto Node(string op, string[] inputs, string[] outputs) => new() { OpType = op, Name = $"{op}_{outputs[0]}", Input = { inputs }, Output = { outputs } };

    public static ValueInfoProto Info(string name) => new()
    {
        Name = name,
        Type = new TypeProto { TensorType = new() { ElemType = 1, Shape = new() { Dim = { new TensorShapeProto.Types.Dimension { DimValue = 2 }, new TensorShapeProto.Types.Dimension { DimValue = 4 } } } } },
    };

    /// <summary>A float tensor in a file of its own.</summary>
    public static TensorProto External(string location, string offset = "0", string? length = null, params long[] dims)
    {
        var tensor = new TensorProto { DataType = 1, DataLocation = TensorProto.Types.DataLocation.External, Dims = { dims.Length == 0 ? [2, 4] : dims } };
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = offset });
        if (length is not null)
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = length });
        return tensor;
    }

    public static TensorProto Floats(params float[] values) => new() { DataType = 1, Dims = { values.Length }, FloatData = { values } };

    public static string Save(this ModelProto model, string folder, string name = "m.onnx")
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, model.ToByteArray());
        return path;
    }
}
