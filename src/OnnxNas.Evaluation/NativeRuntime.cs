using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>The boundary to ONNX Runtime: its process-wide environment, and its errors turned into ours.</summary>
internal static partial class NativeRuntime
{
    // Errors arrive as exceptions, so what ONNX Runtime would print on stderr says nothing new.
    public const OrtLoggingLevel Silent = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;

    private static readonly Lock Gate = new();

    /// <summary>Makes the environment silent, unless the process has made one already.</summary>
    public static void EnsureEnvironment()
    {
        lock (Gate)
        {
            if (OrtEnv.IsCreated)
                return;
            var options = new EnvironmentCreationOptions { logId = "onnxnas", logLevel = Silent };
            OrtEnv.CreateInstanceWithOptions(ref options).DisableTelemetryEvents();
        }
    }

    /// <summary>One line for an ONNX Runtime error. <paramref name="what"/> reads "ONNX Runtime cannot load 'x.onnx'".</summary>
    public static OnnxNasException Wrap(OnnxRuntimeException error, string what)
    {
        // "[ErrorCode:NotImplemented] Could not find an implementation for Foo(1) node with name 'x'", then lines of detail.
        var line = error.Message.AsSpan().Trim();
        var code = "";
        if (line.StartsWith("[ErrorCode:") && line.IndexOf(']') is > 0 and var end)
        {
            code = line["[ErrorCode:".Length..end].ToString();
            line = line[(end + 1)..].TrimStart();
        }

        if (line.IndexOfAny('\r', '\n') is >= 0 and var newline)
            line = line[..newline].TrimEnd();
        if (NewerOpset().Match(line.ToString()) is { Success: true } newer)
        {
            var (imported, domain, newest) = (newer.Groups["imported"], newer.Groups["domain"], newer.Groups["newest"]);
            return new UnsupportedOperatorException($"{what}: it imports opset {imported} of {domain}, and the newest one that ONNX Runtime runs is {newest}. Export it with opset_version={newest} or lower.", error);
        }

        var message = $"{what}: {line}";
        return code == "NotImplemented" ? new UnsupportedOperatorException(message, error) : new ModelFormatException(message, error);
    }

    // How ONNX Runtime says that a model is newer than it.
    [GeneratedRegex(@"Opset (?<imported>\d+) is under development.* support for domain (?<domain>\S+) is till opset (?<newest>\d+)")]
    private static partial Regex NewerOpset();
}
