using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Cli.Reports;

/// <summary>Says once, before a search, which constants do not train although their author may have meant them to.</summary>
internal static class NotTrainedNote
{
    private const int MostNames = 3;

    /// <summary>The note for people; empty where there is nothing to say.</summary>
    public static IEnumerable<string> Of(IReadOnlyList<FixedInitializer> notTrained)
    {
        foreach (var same in notTrained.Where(f => f.MayBeMeant).GroupBy(f => f.Reason))
        {
            var names = same.Select(f => f.Name).ToList();
            yield return $"not trained: {string.Join(", ", names.Take(MostNames).Select(n => $"'{n}'"))}{(names.Count > MostNames ? $" and {names.Count - MostNames} more" : "")}: {same.Key}. Use --train NAME to train what is a parameter; 'inspect --json' lists all that is not trained.";
        }
    }
}
