using OnnxNas.Search.Choices;

namespace OnnxNas.Search.Costs;

/// <summary>The ways to decide a choice, and all architectures of a small space.</summary>
internal static class ChoiceOptions
{
    /// <summary>Every way to decide a choice: candidates in order, or subsets in lexical order.</summary>
    public static IEnumerable<IReadOnlyList<int>> Of(Choice choice)
    {
        var count = choice.Candidates.Count;
        return choice is InputChoice { ChosenCount: var wanted } ? Subsets([], 0) : Enumerable.Range(0, count).Select(k => (IReadOnlyList<int>)[k]);

        IEnumerable<IReadOnlyList<int>> Subsets(IReadOnlyList<int> begun, int next)
        {
            if (begun.Count > 0 && (wanted == 0 || begun.Count == wanted))
                yield return begun;
            if (wanted > 0 && begun.Count == wanted)
                yield break;
            for (var k = next; k < count; k++)
            {
                foreach (var subset in Subsets([.. begun, k], k + 1))
                    yield return subset;
            }
        }
    }

    /// <summary>Every architecture's decisions. The dictionary is the same each time, and changes with the next one.</summary>
    public static IEnumerable<IReadOnlyDictionary<string, IReadOnlyList<int>>> All(SearchSpace space)
    {
        var options = space.Choices.Select(c => Of(c).ToList()).ToList();
        var at = new int[options.Count];
        var selection = new Dictionary<string, IReadOnlyList<int>>();
        for (var i = 0; i < at.Length; i++)
            selection[space.Choices[i].Label] = options[i][0];
        while (true)
        {
            yield return selection;
            var digit = at.Length - 1;
            while (digit >= 0 && ++at[digit] == options[digit].Count)
                Set(digit--, 0);
            if (digit < 0)
                yield break;
            Set(digit, at[digit]);
        }

        void Set(int choice, int option)
        {
            at[choice] = option;
            selection[space.Choices[choice].Label] = options[choice][option];
        }
    }
}
