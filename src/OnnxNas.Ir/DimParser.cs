using System.Globalization;

namespace OnnxNas.Ir;

/// <summary>Reads dimension expressions: sums, products, quotients, parentheses, <c>floor(a/b)</c> and <c>min(a,b)</c>.</summary>
internal sealed class DimParser
{
    private const int MaxDepth = 32;
    private readonly string source;
    private int at;
    private int depth;

    private DimParser(string source) => this.source = source;

    /// <summary>The expression, or null where the text is none.</summary>
    public static Dim? TryParse(string source)
    {
        if (source.Length > Dim.LongestText)
            return null;
        var parser = new DimParser(source);
        try
        {
            var sum = parser.Sum();
            parser.Space();
            return parser.at == source.Length ? sum : null;
        }
        catch (Exception e) when (e is FormatException or OverflowException or DivideByZeroException)
        {
            return null;
        }
    }

    private Dim Sum()
    {
        if (++depth > MaxDepth)
            throw new FormatException();
        var left = Take('-') ? Product() * -1 : Product();
        while (true)
        {
            if (Take('+'))
                left += Product();
            else if (Take('-'))
                left -= Product();
            else
                break;
        }

        depth--;
        return left;
    }

    private Dim Product()
    {
        var left = Factor();
        while (true)
        {
            if (Take('*'))
            {
                left *= Factor();
                // It grew beyond what is kept: (a+b)*(c+d)*…
                if (left.IsUnknown)
                    throw new FormatException();
            }
            else if (Take('/'))
            {
                Take('/');
                left = Dim.FloorDiv(left, Factor());
            }
            else
                return left;
        }
    }

    private Dim Factor()
    {
        Space();
        if (Take('('))
            return Closed(Sum());
        var start = at;
        if (at < source.Length && char.IsAsciiDigit(source[at]))
        {
            while (at < source.Length && char.IsAsciiDigit(source[at]))
                at++;
            return long.Parse(source.AsSpan(start, at - start), CultureInfo.InvariantCulture);
        }

        while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] is '_' or '.'))
            at++;
        if (at == start)
            throw new FormatException();
        var name = source[start..at];
        if (name is not ("floor" or "min") || !Take('('))
            return Dim.Symbol(name);
        var first = Sum();
        return name == "floor" ? Closed(first) : Take(',') ? Closed(Dim.Min(first, Sum())) : throw new FormatException();
    }

    private Dim Closed(Dim inner) => Take(')') ? inner : throw new FormatException();

    private void Space()
    {
        while (at < source.Length && source[at] == ' ')
            at++;
    }

    private bool Take(char c)
    {
        Space();
        if (at >= source.Length || source[at] != c)
            return false;
        at++;
        return true;
    }
}
