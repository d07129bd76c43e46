using Google.Protobuf;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization.Proto;
using static OnnxNas.Ir.Serialization.Proto.AttributeProto.Types;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>Attributes of nodes, those of choice markers too: dropped, of wrong types, with extreme numbers, too long and too short.</summary>
internal static class AttributeMutations
{
    private const string Kind = "attributes";

    private static readonly string[] Names =
    [
        "axis", "axes", "group", "strides", "dilations", "pads", "kernel_shape", "output_shape", "output_padding", "auto_pad", "ceil_mode", "keepdims", "to", "perm", "alpha", "epsilon", "momentum",
        "training_mode", "hidden_size", "direction", "activations", "num_heads", "equation", "mode", "blocksize", "k", "largest", "num_outputs", "body", "then_branch", "value", "batch_dims", "size",
        "label", "candidates", "prior", "n_chosen", "reduction",
    ];

    private static readonly string[] MarkerNames = ["label", "candidates", "prior", "n_chosen", "reduction", "axis"];

    public static IReadOnlyList<Mutation> All { get; } =
    [
        ModelParts.Edit(Kind, "drop", Owners, (node, _, random) => node.Attribute.RemoveAt(random.NextInt(node.Attribute.Count))),
        ModelParts.Edit(Kind, "double", Owners, (node, _, random) => node.Attribute.Add(random.Pick(node.Attribute).Clone())),
        On("claim another type", (attribute, random) => attribute.Type = (AttributeType)random.NextInt(16)),
        On("become another type", (attribute, random) => Fill(attribute, random)),
        On("other name", (attribute, random) => attribute.Name = random.NextInt(4) == 0 ? Extremes.Text(random) : random.Pick(Names)),
        On("refer to a function's attribute", (attribute, random) => attribute.RefAttrName = random.Pick(Names)),
        Where("extreme integer", a => a.HasI, (attribute, random) => attribute.I = Extremes.Integer(random)),
        Where("extreme integers", a => a.Ints.Count > 0, (attribute, random) =>
        {
            for (var count = 1 + random.NextInt(2); count > 0; count--)
                attribute.Ints[random.NextInt(attribute.Ints.Count)] = Extremes.Integer(random);
        }),
        Where("all integers extreme", a => a.Ints.Count > 0, (attribute, random) =>
        {
            var number = Extremes.Integer(random);
            for (var i = 0; i < attribute.Ints.Count; i++)
                attribute.Ints[i] = number;
        }),
        Where("fewer integers", a => a.Ints.Count > 0, (attribute, random) =>
        {
            for (var left = random.NextInt(attribute.Ints.Count); attribute.Ints.Count > left;)
                attribute.Ints.RemoveAt(attribute.Ints.Count - 1);
        }),
        Where("more integers", a => a.Ints.Count > 0, (attribute, random) => attribute.Ints.AddRange(Enumerable.Repeat(attribute.Ints[0], 1 << random.NextInt(12)))),
        Where("extreme number", a => a.HasF, (attribute, random) => attribute.F = Extremes.Float(random)),
        Where("extreme numbers", a => a.Floats.Count > 0, (attribute, random) => attribute.Floats[random.NextInt(attribute.Floats.Count)] = Extremes.Float(random)),
        Where("strange string", a => a.HasS, (attribute, random) => attribute.S = ByteString.CopyFromUtf8(Extremes.Text(random))),
        Where("strange strings", a => a.Strings.Count > 0, (attribute, random) => attribute.Strings[random.NextInt(attribute.Strings.Count)] = ByteString.CopyFromUtf8(Extremes.Text(random))),
        Where("fewer or more strings", a => a.Strings.Count > 0, (attribute, random) =>
        {
            if (random.NextInt(2) == 0)
                attribute.Strings.RemoveAt(random.NextInt(attribute.Strings.Count));
            else
                attribute.Strings.Add(random.Pick(attribute.Strings));
        }),
        ModelParts.Edit(Kind, "one more", ModelParts.Nodes, (node, _, random) => node.Attribute.Add(Random(random.Pick(Names), random))),
        ModelParts.Edit(Kind, "of a marker", model => ModelParts.Nodes(model).Where(n => n.Domain == "org.onnxnas"), (node, _, random) =>
        {
            var name = random.Pick(MarkerNames);
            while (node.Attribute.FirstOrDefault(a => a.Name == name) is { } old)
                node.Attribute.Remove(old);
            node.Attribute.Add(Random(name, random));
        }),
        ModelParts.Edit(Kind, "attribute of another node", Owners, (node, model, random) =>
            ModelParts.Nodes(model).ElementAt(random.NextInt(ModelParts.Nodes(model).Count())).Attribute.Add(random.Pick(node.Attribute).Clone())),
    ];

    private static IEnumerable<NodeProto> Owners(ModelProto model) => ModelParts.Nodes(model).Where(n => n.Attribute.Count > 0);

    private static Mutation On(string name, Action<AttributeProto, SeededRandom> change) => Where(name, _ => true, change);

    private static Mutation Where(string name, Func<AttributeProto, bool> fits, Action<AttributeProto, SeededRandom> change) =>
        ModelParts.Edit(Kind, name, model => ModelParts.Attributes(model).Where(fits), (attribute, _, random) => change(attribute, random));

    private static AttributeProto Random(string name, SeededRandom random)
    {
        var attribute = new AttributeProto { Name = name };
        Fill(attribute, random);
        return attribute;
    }

    private static void Fill(AttributeProto attribute, SeededRandom random)
    {
        var name = attribute.Name;
        var filled = new AttributeProto { Name = name };
        var count = random.NextInt(5);
        switch (random.NextInt(8))
        {
            case 0:
                (filled.Type, filled.I) = (AttributeType.Int, Extremes.Integer(random));
                break;
            case 1:
                (filled.Type, filled.F) = (AttributeType.Float, Extremes.Float(random));
                break;
            case 2:
                (filled.Type, filled.S) = (AttributeType.String, ByteString.CopyFromUtf8(Extremes.Text(random)));
                break;
            case 3:
                filled.Type = AttributeType.Ints;
                for (; count > 0; count--)
                    filled.Ints.Add(Extremes.Integer(random));
                break;
            case 4:
                filled.Type = AttributeType.Floats;
                for (; count > 0; count--)
                    filled.Floats.Add(Extremes.Float(random));
                break;
            case 5:
                filled.Type = AttributeType.Strings;
                for (; count > 0; count--)
                    filled.Strings.Add(ByteString.CopyFromUtf8(Extremes.Text(random)));
                break;
            case 6:
                (filled.Type, filled.T) = (AttributeType.Tensor, new TensorProto { DataType = (int)ElementType.Float32 });
                filled.T.FloatData.Add(Extremes.Float(random));
                break;
            default:
                (filled.Type, filled.G) = (AttributeType.Graph, new GraphProto());
                break;
        }

        foreach (var field in AttributeProto.Descriptor.Fields.InDeclarationOrder())
            field.Accessor.Clear(attribute);
        attribute.MergeFrom(filled);
    }
}
