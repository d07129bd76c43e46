namespace OnnxNas.Fuzz.Running;

/// <summary>How a command ended.</summary>
internal enum Outcome
{
    /// <summary>It did its work.</summary>
    Ok,

    /// <summary>It said in one line why it would not.</summary>
    Refused,

    /// <summary>It said that it lacks an operator, a type or a version.</summary>
    Unsupported,

    /// <summary>It found that TorchSharp and ONNX Runtime give different numbers.</summary>
    Differs,

    /// <summary>An exception that no rule foresaw.</summary>
    Fault,

    /// <summary>The process died.</summary>
    Crash,

    /// <summary>It took longer than allowed.</summary>
    Hang,

    /// <summary>It took more memory than allowed.</summary>
    Memory,

    /// <summary>The process died in a run that <c>verify</c> makes in a process of its own, and reports.</summary>
    Reported,
}

/// <summary>How one command ended on one mutant.</summary>
/// <param name="Verb">The command.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="GrowthBytes">By how much the resident memory of the process grew meanwhile.</param>
/// <param name="Message">What it said.</param>
/// <param name="Place">The first line of the stack that is the project's own; empty where there is none.</param>
internal sealed record Verdict(string Verb, Outcome Outcome, double Milliseconds, long GrowthBytes, string Message, string Place)
{
    /// <summary>Whether it must not be.</summary>
    public bool IsFinding => Outcome is Outcome.Fault or Outcome.Crash or Outcome.Hang or Outcome.Memory;
}
