using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Rewriting;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// The auxiliary skip of DARTS− (Chu et al. 2021, §3.2): y = β·x + Σ p·o at every LayerChoice that offers an identity, recognised from the graph. β falls linearly from 1 in
/// the first epoch to 0 in the last, so that what a skip does for training is there whatever α prefers, and α weighs the candidates by what else they do.
/// </summary>
internal sealed class AuxiliarySkip
{
    private readonly Dictionary<string, int> skips = [];

    /// <summary>Looks for the identities of a space.</summary>
    public AuxiliarySkip(SearchSpace space)
    {
        var kinds = new CandidateKinds(space);
        foreach (var choice in space.Choices.OfType<LayerChoice>())
        {
            if (kinds[choice].ToList().IndexOf(CandidateKind.Identity) is >= 0 and var skip)
                skips[choice.Label] = skip;
        }
    }

    /// <summary>β of an epoch, counted from 0.</summary>
    public static double Weight(int epoch, int epochs) => Schedule.Linear(1, 0, epoch, epochs);

    /// <summary>The value of β's own beside the candidates of a marker: its identity, or null where it offers none.</summary>
    public Value? Of(LayerChoice choice, Node marker) => skips.TryGetValue(choice.Label, out var k) ? marker.Inputs[k] : null;
}
