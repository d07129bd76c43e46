namespace OnnxNas.Ir.Inference;

/// <summary>Reads the tensor a Constant node holds.</summary>
internal static class ConstantNode
{
    /// <summary>The tensor, or null where the node is no Constant, or one that holds a sparse tensor or a reference.</summary>
    public static TensorData? Read(Node node)
    {
        if (node is not { OpType: "Constant", Domain: "", Attributes.Count: 1 })
            return null;
        var attribute = node.Attributes.Values.First();
        if (attribute.RefAttrName is not null)
            return null;
        return attribute.Name switch
        {
            "value" => attribute.AsTensor(),
            "value_float" => TensorData.Scalar(attribute.AsFloat()),
            "value_floats" => TensorData.Vector<float>([.. attribute.AsFloats()]),
            "value_int" => TensorData.Scalar(attribute.AsInt()),
            "value_ints" => TensorData.Vector<long>([.. attribute.AsInts()]),
            "value_string" => TensorData.FromStrings([], [attribute.AsBytes()]),
            "value_strings" => TensorData.FromStrings([attribute.AsByteStrings().Count], attribute.AsByteStrings()),
            _ => null,
        };
    }
}
