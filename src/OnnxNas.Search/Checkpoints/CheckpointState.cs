using System.Globalization;
using System.Text.Json.Nodes;
using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using static TorchSharp.torch;

namespace OnnxNas.Search.Checkpoints;

/// <summary>
/// The state of a search at one moment: named tensors and numbers, in sections within sections. What is put in is copied, and comes out bit for bit the same.
/// </summary>
public sealed class CheckpointState
{
    private readonly string path;
    private readonly Dictionary<string, TensorData> tensors;

    /// <summary>An empty state.</summary>
    public CheckpointState() : this([], [])
    {
    }

    internal CheckpointState(Dictionary<string, TensorData> tensors, JsonObject values) : this("", tensors, values)
    {
    }

    private CheckpointState(string path, Dictionary<string, TensorData> tensors, JsonObject values) => (this.path, this.tensors, Values) = (path, tensors, values);

    /// <summary>All tensors, by section and name.</summary>
    internal IReadOnlyDictionary<string, TensorData> Tensors => tensors;

    /// <summary>Everything of this section that is no tensor.</summary>
    internal JsonObject Values { get; }

    /// <summary>The names of this section's numbers, texts and sections, in the order they were put in.</summary>
    public IEnumerable<string> Names => Values.Select(v => v.Key);

    /// <summary>Whether there is a section of that name.</summary>
    public bool HasSection(string name) => Values[name] is JsonObject;

    /// <summary>A section of its own, made on first use.</summary>
    public CheckpointState Section(string name)
    {
        if (!HasSection(name))
            Add(name, new JsonObject());
        return new($"{path}{name}/", tensors, Values[name]!.AsObject());
    }

    /// <summary>Puts a copy of a tensor in.</summary>
    public void Put(string name, Tensor tensor) => Put(name, tensor.ToTensorData());

    /// <summary>Puts many numbers in.</summary>
    public void Put(string name, double[] numbers) => Put(name, TensorData.Vector<double>(numbers));

    /// <summary>Puts a number in.</summary>
    public void Put(string name, double number) => Add(name, double.IsFinite(number) ? number : number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Puts a whole number in.</summary>
    public void Put(string name, long number) => Add(name, number);

    /// <summary>Puts a text in.</summary>
    public void Put(string name, string text) => Add(name, text);

    /// <summary>Puts all of a whole state into a section.</summary>
    internal void CopyTo(CheckpointState section)
    {
        foreach (var (name, tensor) in tensors)
            section.Put(name, tensor);
        foreach (var (name, value) in Values)
            section.Add(name, value!.DeepClone());
    }

    /// <summary>Fills a tensor with what was put in under that name.</summary>
    /// <exception cref="CheckpointException">There is none, or one of another type or shape.</exception>
    public void CopyInto(string name, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(target);
        var (data, type) = (Tensor(name), target.dtype.ToElementType());
        if (data.Type != type || !data.Dims.SequenceEqual(target.shape))
            throw new CheckpointException($"The checkpoint's '{Printable.Text(path + name)}' is {data}, and {type}[{string.Join(',', target.shape)}] is needed: it is of another model or another strategy. Resume with those it was made with.");
        using var off = no_grad();
        using var scope = NewDisposeScope();
        target.copy_(data.ToTorch(target.device));
    }

    /// <summary>Many numbers.</summary>
    /// <exception cref="CheckpointException">There are none of that name.</exception>
    public double[] GetDoubles(string name) => Tensor(name) is { Type: ElementType.Float64, Dims.Count: 1 } data ? data.ToDoubles() : throw Missing(name, "numbers");

    /// <summary>A number.</summary>
    /// <exception cref="CheckpointException">There is none of that name.</exception>
    public double GetDouble(string name) => Values[name] switch
    {
        JsonValue value when value.TryGetValue<double>(out var number) => number,
        JsonValue value when value.TryGetValue<string>(out var text) && double.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
        _ => throw Missing(name, "number"),
    };

    /// <summary>A whole number.</summary>
    /// <exception cref="CheckpointException">There is none of that name.</exception>
    public long GetInt64(string name) => Values[name] is JsonValue value && value.TryGetValue<long>(out var number) ? number : throw Missing(name, "whole number");

    /// <summary>A text.</summary>
    /// <exception cref="CheckpointException">There is none of that name.</exception>
    public string GetString(string name) => Values[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw Missing(name, "text");

    private TensorData Tensor(string name) => tensors.GetValueOrDefault(path + name) ?? throw Missing(name, "tensor");

    private void Put(string name, TensorData tensor)
    {
        if (!tensors.TryAdd(path + name, tensor))
            throw Twice(name);
    }

    private void Add(string name, JsonNode value)
    {
        if (!Values.TryAdd(name, value))
            throw Twice(name);
    }

    private InvalidOperationException Twice(string name) => new($"'{path}{name}' is put into a checkpoint twice.");

    private CheckpointException Missing(string name, string kind) =>
        new($"The checkpoint holds no {kind} '{Printable.Text(path + name)}': it is of another model or another strategy. Resume with those it was made with.");
}
