namespace OnnxNas.Ir.Inference;

/// <summary>
/// Joins what a rule found with what the file declares: a number beats an expression, an expression beats nothing,
/// and of two expressions the rule's stays, since it is written in the symbols of the graph's inputs.
/// </summary>
internal static class TypeMerge
{
    /// <summary>The joined type. <paramref name="conflict"/> makes the error for two that cannot both be true.</summary>
    public static OnnxType? Merge(OnnxType? inferred, OnnxType? declared, Func<ShapeInferenceException> conflict)
    {
        if (inferred is null or UnspecifiedType)
            return declared ?? inferred;
        if (declared is null or UnspecifiedType)
            return inferred;
        if (inferred.GetType() != declared.GetType())
            throw conflict();
        if (inferred is not TensorType found || declared is not TensorType stated)
            return declared;
        if (found.Element != stated.Element && found.Element != ElementType.Undefined && stated.Element != ElementType.Undefined)
            throw conflict();
        return stated with
        {
            Element = found.Element == ElementType.Undefined ? stated.Element : found.Element,
            Shape = Merge(found.Shape, stated.Shape, conflict),
        };
    }

    private static Shape? Merge(Shape? found, Shape? stated, Func<ShapeInferenceException> conflict)
    {
        if (found is null || stated is null)
            return stated ?? found;
        if (found.Rank != stated.Rank)
            throw conflict();
        return new Shape(found.Zip(stated, (f, s) => Merge(f, s, conflict)), stated.Denotations);
    }

    private static Dim Merge(Dim found, Dim stated, Func<ShapeInferenceException> conflict)
    {
        if (found.IsKnown && stated.IsKnown && found.Value != stated.Value)
            throw conflict();
        return found.IsUnknown || stated.IsKnown || found.Equals(stated) ? stated : found;
    }
}
