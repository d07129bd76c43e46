using TorchSharp;

namespace OnnxNas.Search.Training;

/// <summary>
/// A number that changes from step to step, as libtorch takes it. It lives until it is disposed: libtorch reads a
/// <see cref="TorchSharp.Scalar"/> by its address, which a temporary one may have lost by then.
/// </summary>
internal readonly struct Coefficient(double value) : IDisposable
{
    public Scalar Value { get; } = value.ToScalar();

    public void Dispose() => Value.Dispose();
}
