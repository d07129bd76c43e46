using System.Globalization;

namespace OnnxNas.Search.Costs;

/// <summary>An amount of a cost: absolute (<c>2000000</c>; MACs, parameters or milliseconds), or a share of the most expensive subnet (<c>50%</c>).</summary>
public readonly record struct CostAmount(double Value, bool IsShare)
{
    /// <summary>What a text may be.</summary>
    public const string Expected = "a positive number, or a percentage of the most expensive subnet such as 50%";

    /// <summary>Reads an amount; false where the text is none.</summary>
    public static bool TryParse(string? text, out CostAmount amount)
    {
        var isShare = text?.EndsWith('%') == true;
        var isNumber = double.TryParse(isShare ? text![..^1] : text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value);
        amount = new(isShare ? value / 100 : value, isShare);
        return isNumber && double.IsFinite(value) && value > 0;
    }

    /// <summary>Reads an amount.</summary>
    /// <exception cref="FormatException">The text is none.</exception>
    public static CostAmount Parse(string text) => TryParse(text, out var amount) ? amount : throw new FormatException($"'{text}' is no amount of a cost; it must be {Expected}.");

    /// <summary>The amount in the units of a table.</summary>
    public double In(CostTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        return IsShare ? Value * table.Range().Largest : Value;
    }
}
