using static TorchSharp.torch;

namespace OnnxNas.Operators.Signal;

/// <summary>Fourier transforms of tensors whose last axis holds real, or real and imaginary parts.</summary>
internal static class Fourier
{
    /// <summary>The transform along an axis, cut or filled with zeros to a length.</summary>
    public static Tensor Transform(Tensor x, int axis, long length, bool inverse, bool onesided)
    {
        var real = x.shape[^1] == 1;
        if (inverse)
        {
            var spectrum = complex(x.select(-1, 0), real ? zeros_like(x.select(-1, 0)) : x.select(-1, 1));
            return onesided ? fft.irfft(spectrum, length, axis).unsqueeze(-1) : fft.ifft(spectrum, length, axis).view_as_real();
        }

        if (real)
            return (onesided ? fft.rfft(x.select(-1, 0), length, axis) : fft.fft_(x.select(-1, 0), length, axis)).view_as_real();
        return fft.fft_(complex(x.select(-1, 0), x.select(-1, 1)), length, axis).view_as_real();
    }
}
