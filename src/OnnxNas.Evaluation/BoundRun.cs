using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using OnnxNas.Ir;

namespace OnnxNas.Evaluation;

/// <summary>Feeds pinned in place and handed to ONNX Runtime, ready for any number of runs.</summary>
internal sealed class BoundRun : IDisposable
{
    private readonly InferenceSession session;
    private readonly string source;
    private readonly RunOptions options = new() { LogSeverityLevel = NativeRuntime.Silent };
    private readonly List<string> names = [];
    private readonly List<OrtValue> values = [];
    private readonly List<MemoryHandle> pins = [];
    private readonly List<string> outputs;

    public BoundRun(InferenceSession session, string source, IReadOnlyDictionary<string, TensorData> feeds, IEnumerable<string> outputs)
    {
        this.session = session;
        this.source = source;
        this.outputs = [.. outputs];
        try
        {
            foreach (var (name, tensor) in feeds)
            {
                names.Add(name);
                values.Add(tensor.Type == ElementType.String ? WrapStrings(tensor) : Wrap(tensor));
            }
        }
        catch (OnnxRuntimeException e)
        {
            Dispose();
            throw NativeRuntime.Wrap(e, $"ONNX Runtime cannot take the inputs of {source}");
        }
    }

    /// <summary>Runs once and copies the outputs.</summary>
    public IReadOnlyList<TensorData> Run()
    {
        using var results = RunRaw();
        return [.. results.Select((value, i) => Read(outputs[i], value))];
    }

    /// <summary>Runs once and leaves the outputs where ONNX Runtime put them.</summary>
    public IDisposableReadOnlyCollection<OrtValue> RunRaw()
    {
        try
        {
            return session.Run(options, names, values, outputs);
        }
        catch (OnnxRuntimeException e)
        {
            throw NativeRuntime.Wrap(e, $"ONNX Runtime fails to run {source}");
        }
    }

    public void Dispose()
    {
        foreach (var value in values)
            value.Dispose();
        foreach (var pin in pins)
            pin.Dispose();
        options.Dispose();
    }

    private OrtValue Wrap(TensorData tensor)
    {
        var pin = Pin(tensor);
        pins.Add(pin);
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, (TensorElementType)tensor.Type, [.. tensor.Dims], Address(pin), tensor.Bytes.Length);
    }

    // Bytes that lie inside a file's buffer may start anywhere; kernels read whole elements, so those are moved first.
    private static MemoryHandle Pin(TensorData tensor)
    {
        var pin = tensor.Bytes.Pin();
        if (Address(pin) % Math.Max(1, Math.Min(tensor.Type.BitWidth() / 8, sizeof(double))) == 0)
            return pin;
        pin.Dispose();
        return new Memory<byte>(tensor.Bytes.ToArray()).Pin();
    }

    private static unsafe nint Address(MemoryHandle pin) => (nint)pin.Pointer;

    private static OrtValue WrapStrings(TensorData tensor)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, [.. tensor.Dims]);
        for (var i = 0; i < tensor.Strings.Count; i++)
            value.StringTensorSetElementAt(tensor.Strings[i].Span, i);
        return value;
    }

    private TensorData Read(string name, OrtValue value)
    {
        if (!value.IsTensor)
            throw new UnsupportedOperatorException($"Output '{name}' of {source} is no tensor; only tensors can be read.");
        var info = value.GetTensorTypeAndShape();
        if (info.ElementDataType != TensorElementType.String)
            return TensorData.FromBytes((ElementType)info.ElementDataType, info.Shape, value.GetTensorMutableRawData().ToArray());
        var strings = new ReadOnlyMemory<byte>[info.ElementCount];
        for (var i = 0; i < strings.Length; i++)
            strings[i] = value.GetStringElementAsSpan(i).ToArray();
        return TensorData.FromStrings(info.Shape, strings);
    }
}
