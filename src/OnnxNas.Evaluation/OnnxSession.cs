using Microsoft.ML.OnnxRuntime;
using OnnxNas.Ir;
using OnnxNas.Ir.Passes;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Evaluation;

/// <summary>
/// A model loaded into ONNX Runtime, on the CPU. Runs may come from several threads at once.
/// Every error of ONNX Runtime comes as one line of the <see cref="OnnxNasException"/> family.
/// </summary>
public sealed class OnnxSession : IDisposable
{
    private const string DataFolderKey = "session.model_external_initializers_file_folder_path";
    private readonly InferenceSession session;
    private readonly string source;

    /// <summary>Loads a file. External data is looked for beside it.</summary>
    /// <exception cref="ModelFormatException">No such file, or ONNX Runtime refuses it.</exception>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime has no implementation for one of its operators.</exception>
    public OnnxSession(string path, OnnxSessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            // The runtime would wait for a pipe.
            InputFile.Open(path).Dispose();
        }
        catch (IOException e)
        {
            throw new ModelFormatException($"'{path}' cannot be read: {e.Message}", e);
        }

        source = $"'{path}'";
        session = Load(source, options, o => new InferenceSession(path, o));
        (Inputs, Outputs) = Describe();
    }

    /// <summary>Loads the bytes of a file that needs no external data.</summary>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses them.</exception>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime has no implementation for one of its operators.</exception>
    public OnnxSession(byte[] model, OnnxSessionOptions? options = null) : this(new ModelMessage(model ?? throw new ArgumentNullException(nameof(model)), null), options)
    {
    }

    /// <summary>
    /// Loads a model of ours, and its external data as the model was read with: the working directory does not matter. It is changed for ONNX Runtime:
    /// trailing omitted inputs are dropped.
    /// </summary>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses it, or its external data cannot be read.</exception>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime has no implementation for one of its operators.</exception>
    public OnnxSession(Model model, OnnxSessionOptions? options = null) : this(MessageOf(model, options), options)
    {
    }

    /// <summary>Loads a model as one message.</summary>
    /// <exception cref="ModelFormatException">ONNX Runtime refuses it.</exception>
    /// <exception cref="UnsupportedOperatorException">ONNX Runtime has no implementation for one of its operators.</exception>
    public OnnxSession(ModelMessage message, OnnxSessionOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(message);
        source = "the model";
        session = Load(source, options, o =>
        {
            if (message.DataFolder is { } folder)
                o.AddSessionConfigEntry(DataFolderKey, folder);
            return new InferenceSession(message.Bytes, o);
        });
        (Inputs, Outputs) = Describe();
    }

    /// <summary>A model as <see cref="OnnxSession(Model, OnnxSessionOptions?)"/> hands it to ONNX Runtime.</summary>
    /// <exception cref="ModelFormatException">It is too large for one message, or its external data cannot be read.</exception>
    public static ModelMessage MessageOf(Model model, OnnxSessionOptions? options = null)
    {
        new DropTrailingInputs().Run(model);
        return OnnxFile.ToMessage(model, (options ?? new()).EmbeddedLimit);
    }

    /// <summary>The inputs a caller must feed, in the model's order. Initializers with a default are not among them.</summary>
    public IReadOnlyList<TensorInfo> Inputs { get; }

    /// <summary>The outputs, in the model's order.</summary>
    public IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>Runs the model once.</summary>
    /// <param name="feeds">A tensor per input name. The tensors are read in place.</param>
    /// <param name="outputs">The outputs wanted, in the order wanted; null for all.</param>
    /// <exception cref="DataException">A feed is missing, unknown, or of another type or shape than the model declares.</exception>
    /// <exception cref="ModelFormatException">The run fails.</exception>
    /// <exception cref="UnsupportedOperatorException">An input or output is no tensor.</exception>
    public IReadOnlyList<TensorData> Run(IReadOnlyDictionary<string, TensorData> feeds, IReadOnlyList<string>? outputs = null)
    {
        using var bound = Bind(feeds, outputs);
        return bound.Run();
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    /// <summary>Checks the feeds and wraps them for any number of runs.</summary>
    internal BoundRun Bind(IReadOnlyDictionary<string, TensorData> feeds, IReadOnlyList<string>? outputs = null)
    {
        ArgumentNullException.ThrowIfNull(feeds);
        foreach (var input in Inputs)
            CheckFeed(input, feeds.GetValueOrDefault(input.Name));
        foreach (var name in feeds.Keys)
        {
            if (!session.InputMetadata.ContainsKey(name) && !session.OverridableInitializerMetadata.ContainsKey(name))
                throw new DataException($"{Capitalized()} has no input '{name}'; its inputs are {Names(Inputs)}.");
        }

        var wanted = outputs ?? session.OutputNames;
        foreach (var name in wanted)
        {
            if (!session.OutputMetadata.ContainsKey(name))
                throw new DataException($"{Capitalized()} has no output '{name}'; its outputs are {Names(Outputs)}.");
        }

        return new BoundRun(session, source, feeds, wanted);
    }

    private static InferenceSession Load(string source, OnnxSessionOptions? options, Func<SessionOptions, InferenceSession> create)
    {
        NativeRuntime.EnsureEnvironment();
        options ??= new OnnxSessionOptions();
        using var native = new SessionOptions
        {
            LogSeverityLevel = NativeRuntime.Silent,
            GraphOptimizationLevel = options.GraphOptimization ? GraphOptimizationLevel.ORT_ENABLE_ALL : GraphOptimizationLevel.ORT_DISABLE_ALL,
        };
        if (options.Threads is { } threads)
            native.IntraOpNumThreads = threads;
        try
        {
            return create(native);
        }
        catch (OnnxRuntimeException e)
        {
            throw NativeRuntime.Wrap(e, $"ONNX Runtime cannot load {source}");
        }
    }

    private (IReadOnlyList<TensorInfo> Inputs, IReadOnlyList<TensorInfo> Outputs) Describe() => (
        [.. session.InputNames.Select(n => TensorInfo.Of(n, session.InputMetadata[n]))],
        [.. session.OutputNames.Select(n => TensorInfo.Of(n, session.OutputMetadata[n]))]);

    private void CheckFeed(TensorInfo input, TensorData? feed)
    {
        if (input.Shape is null)
            throw new UnsupportedOperatorException($"Input '{input.Name}' of {source} is no tensor; only tensors can be fed.");
        if (feed is null)
            throw new DataException($"Input '{input.Name}' of {source} is not fed; it needs {Names(Inputs)}.");
        // ONNX Runtime tells of an input without a shape as it does of a scalar, so that a run must show which it is.
        var fits = feed.Type == input.Type && (input.Shape.Rank == 0 || feed.Dims.Count == input.Shape.Rank
            && input.Shape.Zip(feed.Dims).All(pair => pair.First.ValueOrNull is not { } extent || extent == pair.Second));
        if (!fits)
            throw new DataException($"Input '{input.Name}' of {source} takes {input.Type}{input.Shape}, got {feed}.");
    }

    private string Capitalized() => char.ToUpperInvariant(source[0]) + source[1..];

    private static string Names(IEnumerable<TensorInfo> infos) => string.Join(", ", infos.Select(i => $"'{i.Name}'"));
}
