namespace OnnxNas.Cli;

/// <summary>The user stopped a command that can go on later; the message says how.</summary>
internal sealed class InterruptedException(string message, Exception inner) : OperationCanceledException(message, inner);
