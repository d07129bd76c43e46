namespace OnnxNas.Ir.Passes.Import.Batching;

/// <summary>Says which node or value keeps the batch from becoming dynamic; <see cref="MakeBatchDynamic"/> makes a finding of it.</summary>
internal sealed class BatchException(string subject, string message) : Exception(message)
{
    /// <summary>The name of the node or value.</summary>
    public string Subject { get; } = subject;
}
