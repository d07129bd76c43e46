using OnnxNas.Ir;

namespace OnnxNas.Cli;

/// <summary>The command line or a settings file asks for something that makes no sense.</summary>
internal sealed class UsageException(string message) : OnnxNasException(message);
