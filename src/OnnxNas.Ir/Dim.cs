using System.Globalization;
using System.Text;

namespace OnnxNas.Ir;

/// <summary>
/// One extent of a shape: a number, a symbol, an integer expression over symbols (<c>2*N+1</c>), or unknown.
/// Expressions are kept as sums of products in canonical order, so that equal ones compare equal.
/// Symbols stand for non-negative integers.
/// </summary>
public sealed class Dim : IEquatable<Dim>
{
    private readonly IReadOnlyList<Term>? terms; // null: unknown
    private readonly string text;

    private Dim(IReadOnlyList<Term>? terms, string? source = null)
    {
        this.terms = terms;
        text = source ?? Render(terms);
    }

    /// <summary>An extent nothing is known about. Two unknown extents are never equal.</summary>
    public static Dim Unknown() => new(null);

    /// <summary>A known extent.</summary>
    public static Dim Known(long value) => new(value == 0 ? [] : [new Term(value, [])]);

    /// <summary>A named extent.</summary>
    public static Dim Symbol(string name) => new([new Term(1, [new Atom(name, null, null)])], name);

    /// <summary>A known extent.</summary>
    public static implicit operator Dim(long value) => Known(value);

    /// <summary>Number of products it sums.</summary>
    internal int TermCount => terms?.Count ?? 0;

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
    public static Dim operator +(Dim a, Dim b) => Lift(a, b, (x, y) => Collect(x.Concat(y)));

    /// <summary>Difference.</summary>
    public static Dim operator -(Dim a, Dim b) => a + b * -1;

    /// <summary>Product.</summary>
    public static Dim operator *(Dim a, Dim b) => Lift(a, b, (x, y) => Collect(
        from s in x from t in y select new Term(checked(s.Coefficient * t.Coefficient), [.. s.Factors.Concat(t.Factors)])));

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

            var left = new Dim(Collect(rest));
            var sum = new Dim(Collect(whole));
            if (left.IsKnown && b.IsKnown)
                return sum + (long)Math.Floor((decimal)left.Value / b.Value);
            return sum + new Dim([new Term(1, [new Atom("floor", left, b)])]);
        }

        return new Dim([new Term(1, [new Atom("floor", a, b)])]);
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
        return new Dim([new Term(1, [new Atom("min", a, b)])]);
    }

    /// <summary>The value for given symbols, or null where a symbol is missing.</summary>
    public long? Evaluate(IReadOnlyDictionary<string, long> symbols)
    {
        if (terms is null)
            return null;
        long sum = 0;
        foreach (var term in terms)
        {
            var product = term.Coefficient;
            foreach (var factor in term.Factors)
            {
                if (factor.Evaluate(symbols) is not { } value)
                    return null;
                product = checked(product * value);
            }

            sum = checked(sum + product);
        }

        return sum;
    }

    /// <summary>The symbols in the expression, in order of name.</summary>
    public IReadOnlyList<string> Symbols() => terms is null ? [] :
        [.. terms.SelectMany(t => t.Factors).SelectMany(f => f.Symbols()).Distinct().Order(StringComparer.Ordinal)];

    /// <inheritdoc/>
    public bool Equals(Dim? other) =>
        ReferenceEquals(this, other) || other is not null && terms is not null && other.terms is not null && Render(terms) == Render(other.terms);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Dim);

    /// <inheritdoc/>
    public override int GetHashCode() => terms is null ? 0 : Render(terms).GetHashCode(StringComparison.Ordinal);

    /// <summary>The expression; <c>?</c> where unknown.</summary>
    public override string ToString() => text;

    private static Dim Lift(Dim a, Dim b, Func<IReadOnlyList<Term>, IReadOnlyList<Term>, IReadOnlyList<Term>> combine)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.terms is null || b.terms is null ? Unknown() : new Dim(combine(a.terms, b.terms));
    }

    private static List<Term> Collect(IEnumerable<Term> terms) =>
    [
        .. from term in terms
           let sorted = term with { Factors = [.. term.Factors.OrderBy(f => f.ToString(), StringComparer.Ordinal)] }
           group sorted by sorted.Key into same
           let sum = same.Aggregate(0L, (s, t) => checked(s + t.Coefficient))
           where sum != 0
           orderby same.Key.Length == 0, same.Key
           select new Term(sum, same.First().Factors),
    ];

    private static Term? Quotient(Term a, Term b)
    {
        if (a.Coefficient % b.Coefficient != 0)
            return null;
        var factors = a.Factors.ToList();
        foreach (var factor in b.Factors)
        {
            var at = factors.FindIndex(f => f.ToString() == factor.ToString());
            if (at < 0)
                return null;
            factors.RemoveAt(at);
        }

        return new Term(a.Coefficient / b.Coefficient, factors);
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
        public string Key { get; } = string.Join('*', Factors);
    }

    // A symbol (no arguments), floor(a/b) or min(a,b).
    private sealed record Atom(string Name, Dim? A, Dim? B)
    {
        public bool IsNonNegative => A is null || B is null || A.IsNonNegative && B.IsNonNegative;

        public long? Evaluate(IReadOnlyDictionary<string, long> symbols)
        {
            if (A is null || B is null)
                return symbols.TryGetValue(Name, out var value) ? value : null;
            if (A.Evaluate(symbols) is not { } a || B.Evaluate(symbols) is not { } b)
                return null;
            return Name == "min" ? Math.Min(a, b) : b == 0 ? null : (long)Math.Floor((decimal)a / b);
        }

        public IEnumerable<string> Symbols() => A is null || B is null ? [Name] : A.Symbols().Concat(B.Symbols());

        public override string ToString() => A is null || B is null ? Name
            : Name == "min" ? $"min({Render(A.terms)},{Render(B.terms)})"
            : $"floor({Wrap(A)}/{Wrap(B)})";

        private static string Wrap(Dim dim)
        {
            var text = Render(dim.terms);
            return dim.terms is { Count: > 1 } || text.Contains('*', StringComparison.Ordinal) ? $"({text})" : text;
        }
    }
}
