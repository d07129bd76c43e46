namespace OnnxNas.Ir.Passes.Import;

/// <summary>How findings name nodes.</summary>
internal static class ImportNames
{
    /// <summary>The node's name, or that of what it makes.</summary>
    public static string Of(Node node) => node.Name.Length > 0 ? node.Name : node.Outputs.FirstOrDefault(o => o is not null)?.Name ?? node.OpType;
}
