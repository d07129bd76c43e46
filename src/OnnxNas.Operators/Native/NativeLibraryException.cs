using OnnxNas.Ir;

namespace OnnxNas.Operators.Native;

/// <summary>libtorch, or TorchSharp's own native library, cannot be found or loaded on this machine.</summary>
public sealed class NativeLibraryException(string message, Exception? inner = null) : OnnxNasException(message, inner);
