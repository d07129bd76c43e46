namespace OnnxNas.Ir.Passes;

/// <summary>How often a pass changed the model.</summary>
public sealed record PassChanges(string Pass, int Changes);

/// <summary>What a <see cref="PassManager"/> did: changes per pass in order of the list, and how often the list was run.</summary>
public sealed record PassReport(IReadOnlyList<PassChanges> Passes, int Rounds)
{
    /// <summary>All changes together.</summary>
    public int Changes => Passes.Sum(p => p.Changes);
}

/// <summary>Runs passes in order, once or until none changes anything.</summary>
public sealed class PassManager(IEnumerable<Pass> passes)
{
    // Each round of a settling list removes or simplifies something; real models settle in a handful.
    private const int MaxRounds = 50;
    private readonly Pass[] passes = [.. passes];

    /// <summary>Runs each pass once.</summary>
    public PassReport Run(Model model)
    {
        var changes = passes.Select(p => p.Apply(model)).ToArray();
        return Report(changes, 1);
    }

    /// <summary>Runs the list again and again until a whole round changes nothing.</summary>
    /// <exception cref="InvalidOperationException">The list does not settle; the message names the passes at fault.</exception>
    public PassReport RunToFixpoint(Model model)
    {
        var total = new int[passes.Length];
        for (var round = 1; ; round++)
        {
            var changes = passes.Select(p => p.Apply(model)).ToArray();
            for (var i = 0; i < total.Length; i++)
                total[i] += changes[i];
            if (changes.All(c => c == 0))
                return Report(total, round);
            if (round == MaxRounds)
            {
                var restless = passes.Zip(changes).Where(p => p.Second > 0).Select(p => p.First.Name);
                throw new InvalidOperationException($"Passes that still change the model after {MaxRounds} rounds: {string.Join(", ", restless)}.");
            }
        }
    }

    private PassReport Report(int[] changes, int rounds) => new([.. passes.Zip(changes, (p, c) => new PassChanges(p.Name, c))], rounds);
}
