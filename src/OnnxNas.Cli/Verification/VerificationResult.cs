namespace OnnxNas.Cli.Verification;

/// <summary>What a worker is to verify.</summary>
/// <param name="Path">A model, or a test case folder.</param>
/// <param name="Memory">As <see cref="Verifier.Verify"/> takes it.</param>
internal sealed record VerificationRequest(string Path, long? Memory);

/// <summary>One row of <c>verify</c>.</summary>
/// <param name="Path">What was verified.</param>
/// <param name="Status"><c>pass</c>, <c>fail</c>, <c>unsupported</c>, <c>error</c> or <c>crash</c>.</param>
/// <param name="MaxAbsDiff">The largest absolute difference; null where nothing was compared.</param>
/// <param name="Message">Why it did not pass, or under which reservation; empty where it did without any.</param>
internal sealed record VerificationResult(string Path, string Status, double? MaxAbsDiff, string Message)
{
    public const string Pass = "pass";
    public const string Fail = "fail";
    public const string UnsupportedStatus = "unsupported";
    public const string Error = "error";
    public const string Crash = "crash";
}

/// <summary>All rows and their counts.</summary>
internal sealed record VerificationSummary(IReadOnlyList<VerificationResult> Results)
{
    public int Passed => Count(VerificationResult.Pass);

    public int Failed => Count(VerificationResult.Fail);

    public int Unsupported => Count(VerificationResult.UnsupportedStatus);

    public int Errors => Count(VerificationResult.Error);

    public int Crashed => Count(VerificationResult.Crash);

    private int Count(string status) => Results.Count(r => r.Status == status);
}
