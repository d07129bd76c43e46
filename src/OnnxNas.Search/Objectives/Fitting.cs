using OnnxNas.Search.Data;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Objectives;

/// <summary>Labels that fit an output, and how.</summary>
internal sealed record Fitting(ModelEnd End, Loss Loss, Func<SampleArray, SampleArray> Labels, IReadOnlyList<string> Notes);
