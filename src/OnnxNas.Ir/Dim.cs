using System.Globalization;
using System.Text;

namespace OnnxNas.Ir;

/// <summary>
/// One extent of a shape: a number, a symbol, an integer expression over symbols (<c>2*N+1</c>), or unknown.
/// Expressions are kept as sums of products in canonical order, so that equal ones compare equal.
/// Symbols stand for non-negative integers. An expression that would grow beyond <see cref="MostTerms"/> or <see cref="LongestText"/>,
/// or whose numbers leave 64 bits, is unknown: a small file could ask for one without end.
/// </summary>
public sealed class Dim : IEquatable<Dim>
{
    /// <summary>The most products that an expression sums.</summary>
    internal const int MostTerms = 64;

    /// <summary>The longest canonical text of an expression in characters; it bounds the nesting and the degree as well.</summary>
    internal const int LongestText = 1024;

    // Equal products are joined, so that a step may make more of them than are kept.
    private const int MostPairs = 4 * MostTerms;

    private readonly IReadOnlyList<Term>? terms; // null: unknown
    private readonly string? source;
    private string? canonical;

    private Dim(IReadOnlyList<Term>? terms, string? source = null)
    {
        this.terms = terms;
        this.source = source;
    }

    /// <summary>An extent nothing is known about. Two unknown extents are never equal.</summary>
    public static Dim Unknown() => new(null);

    /// <summary>A known extent.</summary>
    public static Dim Known(long value) => new(value == 0 ? [] : [new Term(value, [])]);

    /// <summary>A named extent.</summary>
    public static Dim Symbol(string name) => new([new Term(1, [new Atom(name, null, null)])], name);

    /// <summary>A known extent.</summary>
    public static implicit operator Dim(long value) => Known(value);

    /// <summary>Whether nothing is known.</summary>
    public bool IsUnknown => terms is null;

    /// <summary>Whether the extent is a number.</summary>
    public bool IsKnown => terms is { Count: 0 } || terms is { Count: 1 } && terms[0].Factors.Count == 0;

    /// <summary>The number.</summary>
    /// <exception cref="InvalidOperationException">The extent is not a number; see <see cref="IsKnown"/>.</exception>
    public long Value => !IsKnown ? throw new InvalidOperationException($"Dimension '{this}' is not a number.") : terms!.Count == 0 ? 0 : terms[0].Coefficient;

    /// <summary>The number, or null where it is not one.</summary>
    public long? ValueOrNull => IsKnown ? Value : null;

    /// <summary>Whether the form of the expression shows that it is never negative (symbols are not).</summary>
    public bool IsNonNegative => terms is not null && terms.All(t => t.Coefficient >= 0 && t.Factors.All(f => f.IsNonNegative));

    /// <summary>Reads <c>N</c>, <c>2*N+1</c>, <c>floor(N/2)</c>, <c>N//2</c>. Text that is no such expression becomes one symbol of that name. The text is kept.</summary>
    public static Dim Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var parsed = DimParser.TryParse(source);
        return parsed?.terms is null ? Symbol(source) : new Dim(parsed.terms, source);
    }

    /// <summary>Sum.</summary>
    public static Dim operator +(Dim a, Dim b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.terms is null || b.terms is null ? Unknown() : Collect([.. a.terms, .. b.terms]);
    }

    /// <summary>Difference.</summary>
    public static Dim operator -(Dim a, Dim b) => a + b * -1;

    /// <summary>Product.</summary>
    public static Dim operator *(Dim a, Dim b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.terms is null || b.terms is null || (long)a.terms.Count * b.terms.Count > MostPairs)
            return Unknown();
        var products = new List<Term>(a.terms.Count * b.terms.Count);
        foreach (var s in a.terms)
        {
            foreach (var t in b.terms)
            {
                if (Times(s, t) is not { } product)
                    return Unknown();
                products.Add(product);
            }
        }

        return Collect(products);
    }

    /// <summary>Quotient rounded towards minus infinity.</summary>
    /// <exception cref="DivideByZeroException">The divisor is the number 0.</exception>
    public static Dim FloorDiv(Dim a, Dim b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.terms is null || b.terms is null)
            return Unknown();
        if (b.terms.Count == 0)
            throw new DivideByZeroException($"Dimension '{a}' is divided by zero.");
        if (a.Equals(b))
            return 1;
        if (b.terms.Count == 1)
        {
            // floor((d·A + B) / d) = A + floor(B / d): take out every term the divisor divides.
            var (whole, rest) = (new List<Term>(), new List<Term>());
            foreach (var term in a.terms)
            {
                if (Quotient(term, b.terms[0]) is { } q)
                    whole.Add(q);
                else
                    rest.Add(term);
            }

            var left = Collect(rest);
            var sum = Collect(whole);
            if (left.IsKnown && b.IsKnown)
                return sum + Floor(left.Value, b.Value);
            return sum + Opaque("floor", left, b);
        }

        return Opaque("floor", a, b);
    }

    /// <summary>Quotient rounded towards plus infinity.</summary>
    public static Dim CeilDiv(Dim a, Dim b) => FloorDiv(a * -1, b) * -1;

    /// <summary>The smaller one; an expression <c>min(a,b)</c> where that cannot be told.</summary>
    public static Dim Min(Dim a, Dim b)
    {
        if (a.IsUnknown || b.IsUnknown)
            return Unknown();
        if ((a - b).ValueOrNull is { } difference)
            return difference <= 0 ? a : b;
        return Opaque("min", a, b);
    }

    /// <summary>The value for given symbols, or null where a symbol is missing or a number on the way leaves 64 bits.</summary>
    public long? Evaluate(IReadOnlyDictionary<string, long> symbols)
    {
        if (terms is null)
            return null;
        long sum = 0;
        foreach (var term in terms)
        {
            long? product = term.Coefficient;
            foreach (var factor in term.Factors)
            {
                if (factor.Evaluate(symbols) is not { } value)
                    return null;
                product = product is { } before ? Product(before, value) : null;
            }

            if (product is not { } summand || Sum(sum, summand) is not { } next)
                return null;
            sum = next;
        }

        return sum;
    }

    /// <summary>The symbols in the expression, in order of name.</summary>
    public IReadOnlyList<string> Symbols() => terms is null ? [] :
        [.. terms.SelectMany(t => t.Factors).SelectMany(f => f.Symbols()).Distinct().Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public bool Equals(Dim? other) =>
        ReferenceEquals(this, other) || other is not null && terms is not null && other.terms is not null && terms.Count == other.terms.Count && Canonical == other.Canonical;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Dim);

    /// <inheritdoc/>
    public override int GetHashCode() => terms is null ? 0 : Canonical.GetHashCode(StringComparison.Ordinal);

    /// <summary>The expression; <c>?</c> where unknown.</summary>
    public override string ToString() => source ?? Canonical;

    private string Canonical => canonical ??= Render(terms);

    // One factor, of which nothing is known but its operands.
    private static Dim Opaque(string name, Dim a, Dim b) =>
        a.terms is null || b.terms is null || a.Canonical.Length + b.Canonical.Length > LongestText ? Unknown() : new([new Term(1, [new Atom(name, a, b)])]);

    private static Term? Times(Term a, Term b)
    {
        if (Product(a.Coefficient, b.Coefficient) is not { } coefficient)
            return null;
        if (a.Factors.Count == 0 || b.Factors.Count == 0)
            return new(coefficient, a.Factors.Count == 0 ? b.Factors : a.Factors);
        return a.Key.Length + b.Key.Length < LongestText ? new(coefficient, [.. a.Factors.Concat(b.Factors).OrderBy(f => f.Text, StringComparer.Ordinal)]) : null;
    }

    private static Dim Collect(IReadOnlyList<Term> terms)
    {
        if (terms.Count <= 1)
            return new(terms);
        var sums = new Dictionary<string, Term>(terms.Count, StringComparer.Ordinal);
        foreach (var term in terms)
        {
            if (!sums.TryGetValue(term.Key, out var same))
                sums[term.Key] = term;
            else if (Sum(same.Coefficient, term.Coefficient) is { } sum)
                sums[term.Key] = new(sum, same.Factors);
            else
                return Unknown();
        }

        Term[] kept = [.. sums.Values.Where(t => t.Coefficient != 0).OrderBy(t => t.Key.Length == 0).ThenBy(t => t.Key, StringComparer.Ordinal)];
        // A symbol alone may have any name that the file gives it.
        return kept.Length > MostTerms || kept.Length > 1 && kept.Sum(t => (long)t.Key.Length) > LongestText ? Unknown() : new(kept);
    }

    private static Term? Quotient(Term a, Term b)
    {
        if (b.Coefficient == -1 ? a.Coefficient == long.MinValue : a.Coefficient % b.Coefficient != 0)
            return null;
        var factors = a.Factors.ToList();
        foreach (var factor in b.Factors)
        {
            var at = factors.FindIndex(f => f.Text == factor.Text);
            if (at < 0)
                return null;
            factors.RemoveAt(at);
        }

        return new Term(a.Coefficient / b.Coefficient, factors);
    }

    private static Dim Floor(long a, long b) => Math.Floor((decimal)a / b) is <= long.MaxValue and var quotient ? (long)quotient : Unknown();

    private static long? Product(long a, long b)
    {
        var high = Math.BigMul(a, b, out var low);
        return high == low >> 63 ? low : null;
    }

    private static long? Sum(long a, long b)
    {
        var sum = unchecked(a + b);
        return ((a ^ sum) & (b ^ sum)) < 0 ? null : sum;
    }

    private static string Render(IReadOnlyList<Term>? terms)
    {
        if (terms is null)
            return "?";
        if (terms.Count == 0)
            return "0";
        var builder = new StringBuilder();
        foreach (var term in terms)
        {
            if (builder.Length > 0 && term.Coefficient > 0)
                builder.Append('+');
            if (term.Factors.Count == 0)
                builder.Append(term.Coefficient.ToString(CultureInfo.InvariantCulture));
            else if (term.Coefficient == -1)
                builder.Append('-').Append(term.Key);
            else if (term.Coefficient == 1)
                builder.Append(term.Key);
            else
                builder.Append(term.Coefficient.ToString(CultureInfo.InvariantCulture)).Append('*').Append(term.Key);
        }

        return builder.ToString();
    }

    private sealed record Term(long Coefficient, IReadOnlyList<Atom> Factors)
    {
        public string Key { get; } = Factors.Count == 1 ? Factors[0].Text : string.Join('*', Factors.Select(f => f.Text));
    }

    // A symbol (no arguments), floor(a/b) or min(a,b).
    private sealed record Atom(string Name, Dim? A, Dim? B)
    {
        public string Text { get; } = A is null || B is null ? Name
            : Name == "min" ? $"min({A.Canonical},{B.Canonical})"
            : $"floor({Wrap(A)}/{Wrap(B)})";

        public bool IsNonNegative => A is null || B is null || A.IsNonNegative && B.IsNonNegative;

        public long? Evaluate(IReadOnlyDictionary<string, long> symbols)
        {
            if (A is null || B is null)
                return symbols.TryGetValue(Name, out var value) ? value : null;
            if (A.Evaluate(symbols) is not { } a || B.Evaluate(symbols) is not { } b)
                return null;
            return Name == "min" ? Math.Min(a, b) : b == 0 ? null : Floor(a, b).ValueOrNull;
        }

        public IEnumerable<string> Symbols() => A is null || B is null ? [Name] : A.Symbols().Concat(B.Symbols());

        private static string Wrap(Dim dim)
        {
            var text = dim.Canonical;
            return dim.terms is { Count: > 1 } || text.Contains('*', StringComparison.Ordinal) ? $"({text})" : text;
        }
    }
}
