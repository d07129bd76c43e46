namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Operators that work on each element by itself, or join elements at the same place.</summary>
internal static class ElementwiseRules
{
    public static IEnumerable<(string Names, Action<BatchNode> Rule)> All =>
    [
        ("Abs Acos Acosh Asin Asinh Atan Atanh Bernoulli BitwiseNot Cast Ceil Celu Clip Cos Cosh Dropout Elu Erf Exp Floor Gelu HardSigmoid HardSwish Identity IsInf "
            + "IsNaN LeakyRelu Log Mish Neg Not RandomNormalLike RandomUniformLike Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan "
            + "Tanh ThresholdedRelu", node => node.SetAll(node.Only(0))),
        ("CastLike", CastLike),
        ("Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Or PRelu Pow Sub Sum Where Xor", Broadcast),
        ("QuantizeLinear DequantizeLinear", Quantize),
        (MakeBatchDynamic.Join, Join),
    ];

    // Inputs are aligned at the last axis. One that is the same for all samples must stretch there.
    public static void Broadcast(BatchNode node)
    {
        // Below version 7 inputs are aligned where an attribute says.
        if (node.Node.Attribute("broadcast") is not null)
            throw node.Refuse("its limited broadcasting is not followed");
        var count = node.Node.Inputs.Count;
        var rank = Enumerable.Range(0, count).Max(i => node.Shape(i).Rank);
        var first = node.Batched.First();
        var axis = node.Axis(first)!.Value;
        var result = axis.At(rank - node.Shape(first).Rank + axis.Axis);
        for (var i = 0; i < count; i++)
        {
            var offset = rank - node.Shape(i).Rank;
            if (node.Axis(i) is { } other)
            {
                if (other.Axis + offset != result.Axis || !other.HasLayoutOf(result))
                    throw node.Refuse("its inputs hold the samples on different axes");
            }
            else if (result.Axis >= offset)
            {
                node.Fit(i, result.At(result.Axis - offset));
            }
        }

        node.SetAll(result);
    }

    // Inputs of one shape.
    private static void Join(BatchNode node)
    {
        var axis = node.Axis(node.Batched.First())!.Value;
        for (var i = 0; i < node.Node.Inputs.Count; i++)
            node.Grow(i, axis);
        node.SetAll(axis);
    }

    // Of the second input the type alone counts.
    private static void CastLike(BatchNode node)
    {
        if (node.Axis(0) is { } axis)
            node.SetAll(axis);
    }

    private static void Quantize(BatchNode node)
    {
        var axis = node.Only(0);
        var scale = node.Shape(1);
        // The axis says nothing where one number scales all.
        if (scale.Rank > 0 && scale.Size().ValueOrNull != 1 && (scale.Rank != 1 || node.FromFront(node.Node.Attribute("axis")?.AsInt() ?? 1, node.Shape(0).Rank) == axis.Axis))
            throw node.Refuse("its scale is given for each sample");
        node.SetAll(axis);
    }
}
