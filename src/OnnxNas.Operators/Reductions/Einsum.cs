using OnnxNas.Ir;
using OnnxNas.Ir.Inference;
using static TorchSharp.torch;

namespace OnnxNas.Operators.Reductions;

/// <summary>
/// Einsum, version 12: sums of products over the labels of an equation such as <c>bij,bjk-&gt;bik</c>. Without an arrow the labels
/// that stand once make the output, in alphabetical order. An ellipsis stands for axes that broadcast.
/// </summary>
internal sealed class Einsum : NamedOperator
{
    // The axes an ellipsis stands for are labelled with characters no equation may hold.
    private const char FirstHidden = '\u0100';

    private readonly string equation;
    private readonly string[] terms;
    private readonly string? output;

    private Einsum(NodeReader node) : base(node, Math.Max(1, node.InputCount), int.MaxValue)
    {
        equation = node.String("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var sides = equation.Split("->");
        terms = sides[0].Split(',');
        output = sides.Length > 1 ? sides[1] : null;
        if (sides.Length > 2 || terms.Length != node.InputCount || !terms.All(IsTerm) || output is not null && !IsTerm(output))
            throw node.Malformed($"equation '{equation}' is not one for {node.InputCount} inputs.");
        var written = string.Concat(terms);
        if (output is not null && (Letters(output).Distinct().Count() != Letters(output).Length || Letters(output).Any(l => !written.Contains(l, StringComparison.Ordinal))))
            throw node.Malformed($"equation '{equation}' repeats a label in its output, or has one there that no input has.");
    }

    public override IReadOnlyList<int> ParameterInputs => [.. Enumerable.Range(0, terms.Length)];

    public override IReadOnlyList<InferredValue?> Infer(InferenceContext context)
    {
        return Extents(context) is { } found ? Output(context.Element(0), found.Output.Select(l => found.Extents[l])) : UnknownShape(context.Element(0));
    }

    // A product of all terms for each combination of labels.
    public override Dim? MultiplyAccumulates(InferenceContext context, IReadOnlyList<InferredValue?> outputs) =>
        terms.Length < 2 ? null : Extents(context) is { } found ? found.Extents.Values.Aggregate((Dim)(terms.Length - 1), (a, b) => a * b) : Dim.Unknown();

    // Terms are multiplied one after the other; what they make on the way holds the labels of those before.
    public override Workload Meanwhile(InferenceContext context, IReadOnlyList<InferredValue?> outputs)
    {
        if (terms.Length < 2 || Extents(context) is not { } found)
            return default;
        var (work, seen) = (0.0, "");
        for (var i = 0; i < terms.Length - 1; i++)
        {
            seen += Letters(terms[i]);
            var later = string.Concat(terms.Skip(i + 1)) + found.Output;
            var kept = seen.Distinct().Where(l => later.Contains(l, StringComparison.Ordinal)).Concat(found.Extents.Keys.Where(l => l >= FirstHidden));
            work = Math.Max(work, Workload.Count(kept.Select(l => found.Extents[l])));
        }

        return Workload.Of(work);
    }

    // The extent of each label, and the labels of the output; null where a shape is not known.
    private (Dictionary<char, Dim> Extents, string Output)? Extents(InferenceContext context)
    {
        var shapes = new Shape[terms.Length];
        for (var i = 0; i < terms.Length; i++)
        {
            if (context.Shape(i) is not { } shape)
                return null;
            shapes[i] = shape;
        }

        var (labels, result) = Resolve([.. shapes.Select(s => s.Rank)]);
        var extents = new Dictionary<char, Dim>();
        for (var i = 0; i < terms.Length; i++)
        {
            foreach (var (label, dim) in labels[i].Zip(shapes[i]))
            {
                var known = extents.GetValueOrDefault(label, 1);
                extents[label] = known.ValueOrNull == 1 ? dim : dim.ValueOrNull == 1 ? known : Same(known, dim, $"in equation '{equation}'");
            }
        }

        return (extents, result);
    }

    public override Tensor?[] Run(IReadOnlyList<Tensor?> inputs, RunContext context)
    {
        var (labels, _) = Resolve([.. inputs.Select(i => (int)i!.dim())]);
        var extents = new Dictionary<char, long>();
        for (var i = 0; i < terms.Length; i++)
        {
            foreach (var (label, extent) in labels[i].Zip(inputs[i]!.shape))
            {
                var known = extents.GetValueOrDefault(label, 1);
                if (known != 1 && extent != 1 && known != extent)
                    throw Error($"equation '{equation}' gives extents {known} and {extent} one label.");
                extents[label] = known == 1 ? extent : known;
            }
        }

        return [einsum(equation, [.. inputs!])];
    }

    /// <summary>The label of each axis of each input, and those of the output.</summary>
    private (string[] Inputs, string Output) Resolve(int[] ranks)
    {
        var hidden = 0;
        var labels = new string[terms.Length];
        for (var i = 0; i < terms.Length; i++)
        {
            var open = ranks[i] - Letters(terms[i]).Length;
            if (open < 0 || open > 0 && !terms[i].Contains('.', StringComparison.Ordinal))
                throw Error($"term '{terms[i]}' of equation '{equation}' does not fit an input of rank {ranks[i]}.");
            labels[i] = terms[i].Replace("...", Hidden(open), StringComparison.Ordinal);
            hidden = Math.Max(hidden, open);
        }

        var all = string.Concat(terms.Select(Letters));
        var result = output ?? (hidden > 0 ? "..." : "") + string.Concat(all.Where(l => all.Count(o => o == l) == 1).Order());
        return (labels, result.Replace("...", Hidden(hidden), StringComparison.Ordinal));
    }

    // Counted from the last axis, where broadcasting aligns.
    private static string Hidden(int count) => string.Concat(Enumerable.Range(0, count).Select(i => (char)(FirstHidden + count - 1 - i)));

    private static string Letters(string term) => term.Replace("...", "", StringComparison.Ordinal);

    private static bool IsTerm(string term) => Letters(term) is var letters && letters.All(char.IsAsciiLetter) && term.Length - letters.Length is 0 or 3;

    /// <summary>Registration.</summary>
    public sealed class Family : IOperatorFamily
    {
        /// <inheritdoc/>
        public IEnumerable<OperatorDefinition> Operators => [new("Einsum", [12], node => new Einsum(node)) { Types = TypeSets.Numbers }];
    }
}
