using OnnxNas.Fuzz.Mutations;
using OnnxNas.Fuzz.Parents;
using OnnxNas.Ir;

namespace OnnxNas.Fuzz;

/// <summary>A damaged model: from which parent, and what was done to it, in order.</summary>
internal sealed record Mutant(long Number, ParentModel Parent, byte[] Bytes, IReadOnlyList<Mutation> Steps)
{
    private const string Stacked = "several";

    /// <summary>The kind of its only mutation, or that there are several.</summary>
    public string Kind => Steps is [var step] ? step.Kind : Stacked;

    public override string ToString() => $"mutant {Number} of {Parent.Name}: {string.Join(", ", Steps.Select(s => $"{s.Kind}/{s.Name}"))}";
}

/// <summary>Makes mutants: the same seed, parents and number give the same bytes.</summary>
internal sealed class MutantSource(long seed, IReadOnlyList<ParentModel> parents)
{
    // Most mutations find nothing to change in some models.
    private const int Attempts = 20;

    public int ParentCount => parents.Count;

    public long Seed => seed;

    public Mutant Make(long number)
    {
        var random = new SeededRandom(seed, number);
        var parent = parents[random.NextInt(parents.Count)];
        var (bytes, steps) = (parent.Bytes, new List<Mutation>());
        var wanted = StepCount(random);
        for (var attempt = 0; attempt < Attempts && steps.Count < wanted; attempt++)
        {
            var mutation = Mutation.Draw(random);
            if (mutation.Apply(bytes, random) is not { } changed || changed.AsSpan().SequenceEqual(bytes))
                continue;
            bytes = changed;
            steps.Add(mutation);
        }

        return new(number, parent, bytes, steps);
    }

    // One mutation in most cases; in the others up to six.
    private static int StepCount(SeededRandom random) => random.NextInt(10) switch
    {
        < 6 => 1,
        < 8 => 2,
        _ => 3 + random.NextInt(4),
    };
}
