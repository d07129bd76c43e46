using System.Text.Json.Serialization;
using OnnxNas.Cli.Verification;
using OnnxNas.Search;

namespace OnnxNas.Cli.Reports;

/// <summary>What this tool writes and reads as JSON. What a type holds comes with it; a value that is an <see cref="object"/> needs its type here.</summary>
[JsonSerializable(typeof(SearchOptions))]
[JsonSerializable(typeof(Inspection))]
[JsonSerializable(typeof(VerificationSummary))]
[JsonSerializable(typeof(VerificationRequest))]
[JsonSerializable(typeof(SearchSummary))]
[JsonSerializable(typeof(IReadOnlyList<RankedArchitecture>))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class JsonTypes : JsonSerializerContext;
