using static TorchSharp.torch;

namespace OnnxNas.Search.Training;

/// <summary>Some samples as tensors: model inputs by name, and labels. Lives until the loop that yielded it goes on.</summary>
/// <param name="Inputs">Model inputs by name, first axis = samples.</param>
/// <param name="Label">Labels: int64 classes, or targets in float32.</param>
/// <param name="Count">Number of samples.</param>
public sealed record Batch(IReadOnlyDictionary<string, Tensor> Inputs, Tensor Label, int Count);
