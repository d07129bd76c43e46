using Google.Protobuf;
using Google.Protobuf.Collections;
using OnnxNas.Ir.Serialization.Proto;
using static OnnxNas.Ir.Serialization.Proto.AttributeProto.Types;

namespace OnnxNas.Ir.Tests.Serialization;

/// <summary>Random messages that are valid models and use every field of the format, in usual and unusual spellings.</summary>
internal sealed class RandomModel(int seed)
{
    private readonly Random random = new(seed);
    private int names;

    public ModelProto Build()
    {
        var model = new ModelProto { IrVersion = random.Next(3, 15) };
        Text(s => model.ProducerName = s);
        Text(s => model.ProducerVersion = s);
        Text(s => model.Domain = s);
        Text(s => model.DocString = s);
        Maybe(() => model.ModelVersion = random.Next(-1, 2));
        model.OpsetImport.AddRange(Imports());
        Entries(model.MetadataProps);
        for (var i = random.Next(3); i > 0; i--)
            model.Functions.Add(Function(model.Functions));
        Maybe(() => model.TrainingInfo.Add(new TrainingInfoProto { Algorithm = Graph([], 1), UpdateBinding = { Entry() } }));
        Maybe(() => model.Configuration.Add(Unknown(new DeviceConfigurationProto { Name = Name("cfg"), NumDevices = 2, Device = { "a", "b" } })));
        model.Graph = Graph([], 2);
        return Unknown(model);
    }

    public TensorProto Tensor(string? name)
    {
        var tensor = new TensorProto { DataType = random.Next(1, 27) };
        if (name is not null)
            tensor.Name = name;
        for (var rank = random.Next(4); rank > 0; rank--)
            tensor.Dims.Add(random.Next(0, 4));
        Fill(tensor, tensor.Dims.Aggregate(1L, (a, b) => a * b));
        Text(s => tensor.DocString = s);
        Entries(tensor.MetadataProps);
        Maybe(() => tensor.DataLocation = TensorProto.Types.DataLocation.Default);
        Maybe(() => tensor.Segment = new() { Begin = 0, End = 3 });
        return Unknown(tensor);
    }

    private void Fill(TensorProto tensor, long count)
    {
        var type = (ElementType)tensor.DataType;
        if (type == ElementType.String)
        {
            Repeat(count, () => tensor.StringData.Add(Bytes(random.Next(4))));
            return;
        }

        if (random.Next(2) == 0)
        {
            tensor.RawData = Bytes((int)type.ByteCount(count));
            return;
        }

        // The typed fields as onnx.proto describes them.
        var packed = type.BitWidth() < 8 ? type.ByteCount(count) : count;
        switch (type)
        {
            case ElementType.Float32: Repeat(count, () => tensor.FloatData.Add(Float())); break;
            case ElementType.Complex64: Repeat(2 * count, () => tensor.FloatData.Add(Float())); break;
            case ElementType.Float64: Repeat(count, () => tensor.DoubleData.Add(Float())); break;
            case ElementType.Complex128: Repeat(2 * count, () => tensor.DoubleData.Add(Float())); break;
            case ElementType.Int64: Repeat(count, () => tensor.Int64Data.Add(random.NextInt64(long.MinValue, long.MaxValue))); break;
            case ElementType.UInt64: Repeat(count, () => tensor.Uint64Data.Add(unchecked((ulong)random.NextInt64()) * 2)); break;
            case ElementType.UInt32: Repeat(count, () => tensor.Uint64Data.Add((ulong)random.NextInt64(1L << 32))); break;
            case ElementType.Int32: Repeat(count, () => tensor.Int32Data.Add(random.Next(int.MinValue, int.MaxValue))); break;
            case ElementType.Int16: Repeat(count, () => tensor.Int32Data.Add(random.Next(-32768, 32768))); break;
            case ElementType.UInt16 or ElementType.Float16 or ElementType.BFloat16: Repeat(count, () => tensor.Int32Data.Add(random.Next(65536))); break;
            case ElementType.Int8: Repeat(count, () => tensor.Int32Data.Add(random.Next(-128, 128))); break;
            case ElementType.Bool: Repeat(count, () => tensor.Int32Data.Add(random.Next(2))); break;
            case ElementType.Int4 or ElementType.Int2: Repeat(packed, () => tensor.Int32Data.Add(random.Next(-128, 256))); break;
            default: Repeat(packed, () => tensor.Int32Data.Add(random.Next(256))); break;
        }
    }

    private GraphProto Graph(List<string> outer, int depth)
    {
        var graph = new GraphProto();
        Text(s => graph.Name = s);
        Text(s => graph.DocString = s);
        Entries(graph.MetadataProps);
        var visible = outer.ToList();
        var own = new List<string>();
        Repeat(random.Next(3), () => graph.Input.Add(Info(Define("in"))));
        Repeat(random.Next(4), () => graph.Initializer.Add(Tensor(graph.Input.Count > 0 && graph.Initializer.Count == 0 && random.Next(2) == 0 ? graph.Input[0].Name : Define("w"))));
        Repeat(random.Next(2), () => graph.SparseInitializer.Add(Sparse(Define("sparse"))));
        Repeat(random.Next(5), () =>
        {
            var node = Node(visible, depth);
            graph.Node.Add(node);
            Repeat(random.Next(3), () => node.Output.Add(random.Next(5) == 0 ? "" : Define("v")));
        });
        if (own.Count > 0)
        {
            Repeat(random.Next(3), () => graph.Output.Add(Info(Pick(own))));
            Repeat(random.Next(4), () => graph.ValueInfo.Add(Info(Pick(own))));
        }

        if (outer.Count > 0)
            Maybe(() => graph.Output.Add(Info(Pick(outer))));
        Maybe(() => graph.ValueInfo.Insert(random.Next(graph.ValueInfo.Count + 1), Info(Name("absent"))));
        Maybe(() => graph.QuantizationAnnotation.Add(Unknown(new TensorAnnotation { TensorName = Name("q"), QuantParameterTensorNames = { Entry(), Entry() } })));
        return Unknown(graph);

        string Define(string stem)
        {
            var name = Name(stem);
            own.Add(name);
            visible.Add(name);
            return name;
        }
    }

    private FunctionProto Function(RepeatedField<FunctionProto> earlier)
    {
        var function = new FunctionProto { Name = Name("Function"), Domain = "local" };
        Text(s => function.Overload = s);
        if (earlier.Count > 0)
            Maybe(() => (function.Name, function.Overload) = (earlier[0].Name, Name("overload")));
        Text(s => function.DocString = s);
        Entries(function.MetadataProps);
        function.OpsetImport.AddRange(Imports());
        var visible = new List<string>();
        Repeat(random.Next(3), () => function.Input.Add(Define()));
        Repeat(random.Next(3), () => function.Attribute.Add(Name("attr")));
        Repeat(random.Next(2), () => function.AttributeProto.Add(Attribute(1, [], 0)));
        Repeat(random.Next(3), () =>
        {
            var node = Node(visible, 1);
            node.Attribute.Add(new AttributeProto { Name = "reference", Type = AttributeType.Int, RefAttrName = "attr" });
            node.Output.Add(Define());
            function.Node.Add(node);
        });
        if (earlier.Count > 0)
            function.Node.Add(new NodeProto { OpType = earlier[0].Name, Domain = "local", Overload = earlier[0].Overload });
        if (visible.Count > 0)
        {
            function.Output.Add(Pick(visible));
            Repeat(random.Next(3), () => function.ValueInfo.Add(Info(Pick(visible))));
        }

        return Unknown(function);

        string Define()
        {
            visible.Add(Name("f"));
            return visible[^1];
        }
    }

    private NodeProto Node(List<string> visible, int depth)
    {
        var node = new NodeProto { OpType = "Op" };
        Text(s => node.Name = s);
        Text(s => node.DocString = s);
        Text(s => node.Overload = s);
        switch (random.Next(4))
        {
            case 0: node.Domain = ""; break;
            case 1: node.Domain = "ai.onnx"; break;
            case 2: node.Domain = "other"; break;
        }

        Repeat(random.Next(4), () => node.Input.Add(visible.Count == 0 || random.Next(4) == 0 ? "" : Pick(visible)));
        Repeat(random.Next(4), () => node.Attribute.Add(Attribute(random.Next(1, 15), visible, depth)));
        Entries(node.MetadataProps);
        Maybe(() => node.DeviceConfigurations.Add(new NodeDeviceConfigurationProto
        {
            ConfigurationId = "cfg",
            ShardingSpec = { new ShardingSpecProto { TensorName = "t", Device = { 0, 1 }, ShardedDim = { new ShardedDimProto { Axis = -1, SimpleSharding = { new SimpleShardedDimProto { DimParam = "N", NumShards = 2 } } } } } },
        }));
        return Unknown(node);
    }

    private AttributeProto Attribute(int type, List<string> visible, int depth)
    {
        var attribute = new AttributeProto { Name = Name("a"), Type = (AttributeType)type };
        Text(s => attribute.DocString = s);
        switch (attribute.Type)
        {
            case AttributeType.Float: Maybe(() => attribute.F = random.Next(3) == 0 ? 0 : Float()); break;
            case AttributeType.Int: Maybe(() => attribute.I = random.Next(-1, 2)); break;
            case AttributeType.String: Maybe(() => attribute.S = Bytes(random.Next(3))); break;
            case AttributeType.Tensor: attribute.T = Tensor(random.Next(2) == 0 ? null : Name("t")); break;
            case AttributeType.Graph: attribute.G = depth > 0 ? Graph(visible, depth - 1) : new GraphProto(); break;
            case AttributeType.SparseTensor: attribute.SparseTensor = Sparse(null); break;
            case AttributeType.TypeProto: attribute.Tp = Type(2); break;
            case AttributeType.Floats: Repeat(random.Next(3), () => attribute.Floats.Add(Float())); break;
            case AttributeType.Ints: Repeat(random.Next(3), () => attribute.Ints.Add(random.NextInt64())); break;
            case AttributeType.Strings: Repeat(random.Next(3), () => attribute.Strings.Add(Bytes(3))); break;
            case AttributeType.Tensors: Repeat(random.Next(3), () => attribute.Tensors.Add(Tensor(null))); break;
            case AttributeType.Graphs: Repeat(depth > 0 ? random.Next(3) : 0, () => attribute.Graphs.Add(Graph(visible, depth - 1))); break;
            case AttributeType.SparseTensors: Repeat(random.Next(3), () => attribute.SparseTensors.Add(Sparse(Name("s")))); break;
            case AttributeType.TypeProtos: Repeat(random.Next(3), () => attribute.TypeProtos.Add(Type(2))); break;
        }

        return Unknown(attribute);
    }

    private SparseTensorProto Sparse(string? name) => Unknown(new SparseTensorProto { Values = Tensor(name), Indices = Tensor(null), Dims = { 3, 4 } });

    private ValueInfoProto Info(string name)
    {
        var info = new ValueInfoProto { Name = name };
        Maybe(() => info.Type = Type(2));
        Text(s => info.DocString = s);
        Entries(info.MetadataProps);
        return Unknown(info);
    }

    private TypeProto Type(int depth)
    {
        var type = new TypeProto();
        switch (depth > 0 ? random.Next(9) : random.Next(3))
        {
            case 0: break;
            case 1: type.SparseTensorType = new() { ElemType = random.Next(27), Shape = Shape() }; break;
            case 2: type.OpaqueType = new() { Domain = "d" }; break;
            case 3: type.SequenceType = new() { ElemType = Type(depth - 1) }; break;
            case 4: type.OptionalType = new() { ElemType = random.Next(3) == 0 ? null : Type(depth - 1) }; break;
            case 5: type.MapType = new() { KeyType = random.Next(27), ValueType = Type(depth - 1) }; break;
            default:
                type.TensorType = new() { Shape = random.Next(4) == 0 ? null : Shape() };
                Maybe(() => type.TensorType.ElemType = random.Next(27));
                break;
        }

        Text(s => type.Denotation = s);
        return Unknown(type);
    }

    private TensorShapeProto Shape()
    {
        var shape = new TensorShapeProto();
        Repeat(random.Next(4), () =>
        {
            var dim = new TensorShapeProto.Types.Dimension();
            switch (random.Next(5))
            {
                case 0: dim.DimValue = random.Next(-1, 5); break;
                case 1: dim.DimParam = Pick(["N", "2*N+1", "floor((H-1)/2)", "?", "", "7", "a b", "H // 2", "batch.0"]); break;
                case 2: break;
                default: dim.DimValue = random.Next(1, 100); break;
            }

            Text(s => dim.Denotation = s);
            shape.Dim.Add(Unknown(dim));
        });
        return shape;
    }

    private IEnumerable<OperatorSetIdProto> Imports()
    {
        var main = new OperatorSetIdProto { Version = 17 };
        Maybe(() => main.Domain = random.Next(2) == 0 ? "" : "ai.onnx");
        List<OperatorSetIdProto> all = [main, Unknown(new OperatorSetIdProto { Domain = "other", Version = 1 })];
        Maybe(() => all.Add(new OperatorSetIdProto { Domain = "ai.onnx", Version = 17 }));
        return random.Next(2) == 0 ? all : all.AsEnumerable().Reverse();
    }

    private void Entries(RepeatedField<StringStringEntryProto> list) => Maybe(() => Repeat(random.Next(4), () => list.Add(Entry())));

    private StringStringEntryProto Entry()
    {
        var entry = new StringStringEntryProto();
        Text(s => entry.Key = s);
        Text(s => entry.Value = s);
        return Unknown(entry);
    }

    // Now and then a field no schema knows.
    private T Unknown<T>(T message) where T : IMessage
    {
        if (random.Next(8) == 0)
        {
            var buffer = new byte[16];
            using var output = new CodedOutputStream(buffer);
            output.WriteTag(1000, WireFormat.WireType.Varint);
            output.WriteInt32(random.Next(100));
            message.MergeFrom(buffer.AsSpan(0, (int)output.Position).ToArray());
        }

        return message;
    }

    // Absent, empty, or something.
    private void Text(Action<string> set)
    {
        var kind = random.Next(4);
        if (kind > 1)
            set(kind == 2 ? "" : Pick(["x", "ü\n", "key", "日本"]));
    }

    private void Maybe(Action action)
    {
        if (random.Next(2) == 0)
            action();
    }

    private static void Repeat(long count, Action action)
    {
        for (var i = 0L; i < count; i++)
            action();
    }

    private string Name(string stem) => $"{stem}{names++}";

    private string Pick(List<string> items) => items[random.Next(items.Count)];

    private float Float() => random.Next(10) == 0 ? BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)) : random.NextSingle() * 100;

    private ByteString Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return ByteString.CopyFrom(bytes);
    }
}
