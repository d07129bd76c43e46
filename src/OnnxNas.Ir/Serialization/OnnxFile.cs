using Google.Protobuf;
using OnnxNas.Ir.Serialization.Proto;

namespace OnnxNas.Ir.Serialization;

/// <summary>
/// Reads and writes ONNX files. What is read and not changed is written back field by field as it was, fields this
/// project knows nothing of included; the same model always gives the same bytes.
/// </summary>
public static class OnnxFile
{
    private const byte LengthDelimitedFirstField = 0x0A;
    private const int SmallestKept = 1024;
    private const string ModelName = "an ONNX model";
    private const string TensorName = "an ONNX tensor";

    /// <summary>Reads a model. External data is checked at once and mapped into memory on first use; it must lie in the model's folder.</summary>
    /// <exception cref="ModelFormatException">The file is missing, damaged, or breaks the rules of ONNX.</exception>
    public static Model Read(string path)
    {
        var bytes = Load(path, ModelProto.GraphFieldNumber, ModelName);
        return Named($"'{path}': ", () =>
        {
            var model = ReadModel(bytes, Path.GetDirectoryName(Path.GetFullPath(path)));
            model.Path = path;
            return model;
        });
    }

    /// <summary>Reads a model. <paramref name="directory"/> is the folder external data is named from; null where there is none.</summary>
    /// <exception cref="ModelFormatException">The bytes are no model, or break the rules of ONNX.</exception>
    public static Model Read(ReadOnlyMemory<byte> bytes, string? directory = null) => Named("", () => ReadModel(bytes, directory));

    /// <summary>Reads a file that holds one tensor, as in ONNX's test cases.</summary>
    /// <exception cref="UnsupportedOperatorException">The file holds a sequence, an optional or a map.</exception>
    /// <exception cref="ModelFormatException">The file is missing or damaged.</exception>
    public static TensorData ReadTensor(string path)
    {
        var bytes = Load(path, 0, TensorName);
        return Named($"'{path}': ", () =>
        {
            var proto = Parse(TensorProto.Parser, bytes, TensorName);
            // Sequences, optionals and maps have a name where a tensor has its dims, and their elements where it has its disused segment or a payload.
            var hasName = bytes[0] == LengthDelimitedFirstField;
            var hasPayload = proto.HasRawData || proto.DataLocation == TensorProto.Types.DataLocation.External || TypedPayload.Present(proto).Any();
            if (proto.Segment is not null || !hasPayload && !proto.Dims.Contains(0))
                throw NoTensor(null);
            try
            {
                return new TensorReader(new ExternalFolder(Path.GetDirectoryName(Path.GetFullPath(path))!)).Read(proto, "The tensor", named: false);
            }
            catch (ModelFormatException e) when (hasName)
            {
                throw NoTensor(e);
            }
        });

        static UnsupportedOperatorException NoTensor(Exception? inner) =>
            new("It holds no tensor, but a sequence, an optional or a map, which are not supported as data.", inner);
    }

    /// <summary>
    /// Writes a model, atomically. Data that lies in files beside <paramref name="path"/> stays there; other external
    /// data is gathered in <c>NAME.onnx.data</c>.
    /// </summary>
    /// <exception cref="ModelFormatException">The model is too large or breaks the rules of ONNX, or the file cannot be written; nothing is left behind then.</exception>
    public static void Write(Model model, string path, WriteOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        WritingRules.Require(model);
        options ??= new();
        var dataPath = path + ".data";
        var layout = NeedsDataFile(model, path, options) ? new ExternalLayout(Path.GetFileName(dataPath)) : null;
        layout?.Take(model);
        RequireFits(model, layout, path, options);
        using var file = AtomicFile.Begin(path, stream => new ModelWriter(layout).Write(model).WriteTo(stream));
        if (layout is null)
        {
            file.Commit();
            return;
        }

        using var data = AtomicFile.Begin(dataPath, layout.WriteTo);
        data.CommitWithUndo();
        try
        {
            file.Commit();
        }
        catch
        {
            data.Undo();
            throw;
        }

        data.Settle();
    }

    /// <summary>The bytes of a model. External data is referred to, not included.</summary>
    /// <exception cref="ModelFormatException">The model is too large for one message, or breaks the rules of ONNX.</exception>
    public static byte[] ToBytes(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        WritingRules.Require(model);
        RequireFits(model, null, "The model", new());
        return new ModelWriter(null).Write(model).ToByteArray();
    }

    /// <summary>The bytes of a model with all its external data in them: they mean the same wherever they are read.</summary>
    /// <exception cref="ModelFormatException">The model is too large for one message, or its external data cannot be read.</exception>
    public static byte[] ToWholeBytes(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        RequireFits(model, null, "The model", new(), _ => true);
        return new ModelWriter(null, _ => true).Write(model).ToByteArray();
    }

    /// <summary>
    /// A model for a reader in this process. External data of up to <paramref name="embeddedLimit"/> bytes is put into the message; of more, the initializers stay in
    /// their files, which are checked first to be those that the model was read with.
    /// </summary>
    /// <exception cref="ModelFormatException">The model is too large for one message, or its external data cannot be read.</exception>
    public static ModelMessage ToMessage(Model model, long embeddedLimit)
    {
        ArgumentNullException.ThrowIfNull(model);
        var external = ModelTensors.Of(model).Where(t => t.Tensor.Storage == TensorStorage.External).DistinctBy(t => t.Tensor, ReferenceEqualityComparer.Instance).ToList();
        var folder = external.Find(t => t.IsInitializer).Tensor?.Folder;
        if (folder is null || external.Sum(t => ModelTensors.ByteCount(t.Tensor)) <= embeddedLimit)
            return new(ToWholeBytes(model), null);

        // Small ones are shapes and the like, which a reader wants to see before it looks at files.
        var kept = external.Where(t => t.IsInitializer && t.Tensor.Folder == folder && ModelTensors.ByteCount(t.Tensor) > SmallestKept).Select(t => t.Tensor).ToHashSet<TensorData>(ReferenceEqualityComparer.Instance);
        foreach (var tensor in kept)
            _ = tensor.Bytes;
        RequireFits(model, null, "The model", new(), tensor => !kept.Contains(tensor));
        return new(new ModelWriter(null, tensor => !kept.Contains(tensor)).Write(model).ToByteArray(), folder);
    }

    /// <summary>The bytes of a tensor.</summary>
    internal static byte[] ToBytes(TensorData tensor) => new TensorWriter(null).Write(tensor, null).ToByteArray();

    private static Model ReadModel(ReadOnlyMemory<byte> bytes, string? directory) =>
        new ModelReader(directory is null ? null : new ExternalFolder(directory)).Read(Parse(ModelProto.Parser, bytes, ModelName));

    private static bool NeedsDataFile(Model model, string path, WriteOptions options)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path));
        return options.ExternalData
            || ModelTensors.Of(model).Any(t => t.Tensor.Storage == TensorStorage.External && t.Tensor.Folder != folder)
            || InlineBytes(model, null) > options.InlineLimit;
    }

    private static void RequireFits(Model model, ExternalLayout? layout, string what, WriteOptions options, Func<TensorData, bool>? embeds = null)
    {
        if (InlineBytes(model, layout, embeds) is var bytes && bytes > options.InlineLimit)
            throw new ModelFormatException($"{what} holds {bytes} bytes of constants that cannot go to external data, more than the 2 GiB of one message. Make large constants initializers.");
    }

    // A typed entry takes up to ten bytes on the wire.
    private static long InlineBytes(Model model, ExternalLayout? layout, Func<TensorData, bool>? embeds = null) => ModelTensors.Of(model)
        .Where(t => (t.Tensor.Storage != TensorStorage.External || embeds?.Invoke(t.Tensor) == true) && layout?.Find(t.Tensor) is null)
        .Sum(t => t.Tensor.Storage == TensorStorage.Typed && t.Tensor.Type != ElementType.String ? 10 * t.Tensor.ElementCount : ModelTensors.ByteCount(t.Tensor));

    private static byte[] Load(string path, int largestField, string what)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using var file = InputFile.Open(path);
            if (file.Length > Array.MaxLength)
                throw new ModelFormatException($"'{path}' has {file.Length} bytes, more than the 2 GiB of one message. Store its constants as external data.");
            if (!MessageOutline.Fits(file, largestField))
                throw new ModelFormatException($"'{path}': The file is not {what}, or is damaged.");
            var bytes = new byte[file.Length];
            file.Read(0, bytes);
            return bytes;
        }
        catch (IOException e)
        {
            throw new ModelFormatException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private static T Parse<T>(MessageParser<T> parser, ReadOnlyMemory<byte> bytes, string what) where T : IMessage<T>
    {
        if (bytes.IsEmpty)
            throw new ModelFormatException($"The file is empty, where {what} is expected.");
        try
        {
            return parser.ParseFrom(bytes.Span);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelFormatException(
                e.Message.Contains("nesting", StringComparison.Ordinal) ? "The file nests graphs or types more than 100 messages deep, which no ONNX reader accepts."
                : e.Message.Contains("ended unexpectedly", StringComparison.Ordinal) ? $"The file ends in the middle of a field: it is truncated, or not {what}."
                : $"The file is not {what}: {e.Message}", e);
        }
    }

    // Says which file it is, and keeps the message one line whatever names the file holds.
    private static T Named<T>(string file, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ModelFormatException e)
        {
            throw new ModelFormatException(Printable.Message(file + e.Message), e);
        }
        catch (UnsupportedOperatorException e)
        {
            throw new UnsupportedOperatorException(Printable.Message(file + e.Message), e);
        }
    }
}
