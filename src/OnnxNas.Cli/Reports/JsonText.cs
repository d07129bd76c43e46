using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OnnxNas.Search;

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

    /// <summary>Settings, the defaults where a key is absent: a generated serializer alone would take zero or null.</summary>
    /// <exception cref="JsonException">A key is unknown, or a value is of the wrong kind.</exception>
    public static SearchOptions Settings(JsonObject given)
    {
        var all = JsonSerializer.SerializeToNode(new SearchOptions(), Options)!.AsObject();
        foreach (var (key, value) in given)
            all[key] = value?.DeepClone();
        return all.Deserialize<SearchOptions>(Options)!;
    }

    public static string Of<T>(T value) => JsonSerializer.Serialize(value, Options);
}
