namespace OnnxNas.Evaluation.Isolation;

/// <summary>A worker process cannot be had on this machine.</summary>
public sealed class WorkerException(string message, Exception? inner = null) : Exception(message, inner);
