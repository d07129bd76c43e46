using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Evaluation.Isolation;

/// <summary>
/// Has ONNX Runtime load a model and run it once in a worker process, before it does so in this one: there are models that end the process that ONNX Runtime
/// runs in.
/// </summary>
public static class RuntimeProbe
{
    /// <summary>The name of the worker's job, which <see cref="Serve"/> does.</summary>
    public const string Job = "probe";

    /// <summary>Requires that a process outlives the model. What else ONNX Runtime has against it is found when it is loaded for good.</summary>
    /// <param name="jobs">The worker.</param>
    /// <param name="model">The model.</param>
    /// <param name="feeds">What it is run on; null to only load it.</param>
    /// <param name="name">What the model is called in the error, such as <c>'net.onnx'</c>.</param>
    /// <param name="options">How it is loaded.</param>
    /// <param name="cancellation">Ends the worker.</param>
    /// <exception cref="ModelFormatException">The process died, or took more time or memory than it may.</exception>
    /// <exception cref="WorkerException">No worker can be started.</exception>
    public static void Require(IsolatedJobs jobs, ModelMessage model, IReadOnlyDictionary<string, TensorData>? feeds, string name, OnnxSessionOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        ArgumentNullException.ThrowIfNull(model);
        var outcome = jobs.Run(Job, Pack(model, options, feeds), cancellation);
        if (outcome.End is WorkerEnd.Done or WorkerEnd.Failed)
            return;
        var isRun = feeds is not null && jobs.Run(Job, Pack(model, options, null), cancellation).End is WorkerEnd.Done or WorkerEnd.Failed;
        var when = isRun ? $"while it ran {name} on random inputs" : $"while it loaded {name}";
        throw new ModelFormatException(outcome.End == WorkerEnd.Crashed
            ? $"ONNX Runtime crashed ({outcome.Reason}) {when}. The model does something that ONNX Runtime does not check, such as a division by zero: find the node by cutting the model down, and change it."
            : $"ONNX Runtime was stopped {when}: {outcome.Reason}. Make the model smaller.");
    }

    /// <summary>The worker's side: loads and runs the model; the reply is empty.</summary>
    public static byte[] Serve(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        var folder = reader.ReadString();
        var bytes = reader.ReadBytes(reader.ReadInt32());
        var options = new OnnxSessionOptions { GraphOptimization = reader.ReadBoolean() };
        using var session = new OnnxSession(new ModelMessage(bytes, folder.Length == 0 ? null : folder), options);
        if (!reader.ReadBoolean())
            return [];
        var feeds = new Dictionary<string, TensorData>();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var (name, type) = (reader.ReadString(), (ElementType)reader.ReadInt32());
            var dims = new long[reader.ReadInt32()];
            for (var i = 0; i < dims.Length; i++)
                dims[i] = reader.ReadInt64();
            feeds[name] = TensorData.FromBytes(type, dims, reader.ReadBytes(reader.ReadInt32()));
        }

        session.Run(feeds);
        return [];
    }

    private static ReadOnlyMemory<byte> Pack(ModelMessage model, OnnxSessionOptions? options, IReadOnlyDictionary<string, TensorData>? feeds)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(model.DataFolder ?? "");
        writer.Write(model.Bytes.Length);
        writer.Write(model.Bytes);
        writer.Write((options ?? new()).GraphOptimization);
        writer.Write(feeds is not null);
        writer.Write(feeds?.Count ?? 0);
        foreach (var (name, tensor) in feeds ?? new Dictionary<string, TensorData>())
        {
            writer.Write(name);
            writer.Write((int)tensor.Type);
            writer.Write(tensor.Dims.Count);
            foreach (var extent in tensor.Dims)
                writer.Write(extent);
            writer.Write(tensor.Bytes.Length);
            writer.Write(tensor.Bytes.Span);
        }

        return stream.GetBuffer().AsMemory(0, (int)stream.Length);
    }
}
