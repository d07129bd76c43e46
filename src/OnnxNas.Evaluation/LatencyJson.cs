using System.Text.Json.Serialization;

namespace OnnxNas.Evaluation;

/// <summary>The file of a <see cref="LatencyCache"/>, for programs without reflection too.</summary>
[JsonSerializable(typeof(SortedDictionary<string, Latency>))]
[JsonSerializable(typeof(Dictionary<string, Latency?>))]
internal sealed partial class LatencyJson : JsonSerializerContext;
