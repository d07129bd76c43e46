using OnnxNas.Ir;

namespace OnnxNas.Fuzz.Mutations;

/// <summary>One way to damage a model file.</summary>
/// <param name="Kind">What sort of damage.</param>
/// <param name="Name">What is done.</param>
/// <param name="Apply">Gives the damaged file; null where the file has nothing that could be damaged so.</param>
internal sealed record Mutation(string Kind, string Name, Func<byte[], SeededRandom, byte[]?> Apply)
{
    /// <summary>All mutations by kind, with how often each kind is drawn: what breaks the file itself is mostly refused by the first look at it.</summary>
    public static IReadOnlyList<(int Share, IReadOnlyList<Mutation> Mutations)> Groups { get; } =
    [
        (1, ByteMutations.All), (2, WireMutations.All), (2, EdgeMutations.All), (2, NodeMutations.All), (5, AttributeMutations.All), (4, ConstantMutations.All), (3, TypeMutations.All),
    ];

    private static readonly int Shares = Groups.Sum(g => g.Share);

    /// <summary>Draws one.</summary>
    public static Mutation Draw(SeededRandom random)
    {
        var place = random.NextInt(Shares);
        var group = Groups.First(g => (place -= g.Share) < 0).Mutations;
        return random.Pick(group);
    }
}
