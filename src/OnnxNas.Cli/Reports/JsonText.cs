using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace OnnxNas.Cli.Reports;

/// <summary>
/// JSON as this tool writes it: snake case, indented, LF, numbers that JSON lacks as strings. Serializers are made by the compiler, as programs without reflection
/// (a single file run by <c>dotnet run</c>) have no others.
/// </summary>
internal static class JsonText
{
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        TypeInfoResolver = JsonTypes.Default,
    };

    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Options);
}
