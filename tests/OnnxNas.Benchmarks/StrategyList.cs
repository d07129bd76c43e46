using System.CommandLine;
using OnnxNas.Search.Strategies;

namespace OnnxNas.Benchmarks;

/// <summary>The option <c>--strategies</c>.</summary>
internal static class StrategyList
{
    /// <summary>A new option. All strategies but the grid, which takes small spaces only, unless given.</summary>
    public static Option<string[]> Option() => new("--strategies")
    {
        Description = "Which strategies, joined by commas [default: all but grid]",
        CustomParser = result => Checked(result.Tokens.Single().Value.Split(',')),
        DefaultValueFactory = _ => [.. StrategyCatalog.All.Select(s => s.Name).Where(n => n != "grid")],
    };

    private static string[] Checked(string[] names)
    {
        foreach (var name in names)
            StrategyCatalog.Require(name);
        return names;
    }
}
