using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Choices;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// A policy over a space (Pham et al. 2018): an LSTM decides choice by choice, each decision fed into the next. Logits are c·tanh(u/T) with c = 2.5 and
/// T = 5, plus the logarithm of a marker's prior; parameters start uniform in ±0.1. An InputChoice draws n without replacement; where any number may be chosen, each input by its
/// sigmoid, never none. Small enough for the CPU, in float64.
/// </summary>
internal sealed class EnasController : IDisposable
{
    private const int Width = 64;
    private const double TanhConstant = 2.5;
    private const double Temperature = 5;
    private const double Spread = 0.1;
    private readonly SearchSpace space;
    private readonly Parameter start;
    private readonly Parameter fromInput;
    private readonly Parameter fromHidden;
    private readonly Dictionary<string, (Parameter Head, Parameter Embedding, Tensor Prior)> byLabel = [];
    private readonly List<Parameter> parameters = [];

    /// <summary>A controller with parameters drawn by <paramref name="random"/>.</summary>
    public EnasController(SearchSpace space, SeededRandom random)
    {
        this.space = space;
        start = New(1, Width);
        (fromInput, fromHidden) = (New(Width, 4 * Width), New(Width, 4 * Width));
        foreach (var choice in space.Choices)
        {
            var count = choice.Candidates.Count;
            var prior = (choice as LayerChoice)?.LogPrior ?? Enumerable.Repeat(0.0, count);
            byLabel[choice.Label] = (New(Width, count), New(count, Width), tensor(prior.ToArray()).DetachFromDisposeScope());
        }

        Parameter New(long rows, long columns)
        {
            var numbers = Enumerable.Range(0, (int)(rows * columns)).Select(_ => Spread * (2 * random.NextDouble() - 1)).ToArray();
            var parameter = new Parameter(tensor(numbers, [rows, columns]));
            parameter.DetachFromDisposeScope();
            parameters.Add(parameter);
            return parameter;
        }
    }

    /// <summary>What is trained, in an order that stays.</summary>
    public IReadOnlyList<Parameter> Parameters => parameters;

    /// <summary>Draws an architecture. The logarithm of the probability of its decisions, in the order they were drawn, carries gradients.</summary>
    public (Architecture Architecture, Tensor LogProbability) Sample(SeededRandom random)
    {
        var decided = new Dictionary<string, IReadOnlyList<int>>();
        var log = Walk((choice, logits) =>
        {
            var order = Draw(choice, logits, random);
            decided[choice.Label] = [.. order.Order()];
            return order;
        });
        return (new(space, decided), log);
    }

    /// <summary>The logarithm of the probability that decisions are drawn in the order that <paramref name="decide"/> gives, seeing the logits of each.</summary>
    public Tensor Walk(Func<Choice, double[], IReadOnlyList<int>> decide)
    {
        using var scope = NewDisposeScope();
        Tensor input = start;
        var (hidden, cell) = (zeros(1, Width, float64), zeros(1, Width, float64));
        var log = zeros([], float64);
        foreach (var choice in space.Choices)
        {
            var gates = Product(input, fromInput).Plus(Product(hidden, fromHidden)).chunk(4, 1);
            cell = (gates[0].sigmoid() * gates[1].tanh()).Plus(gates[2].sigmoid() * cell);
            hidden = gates[3].sigmoid() * cell.tanh();
            var (head, embedding, prior) = byLabel[choice.Label];
            var logits = Product(hidden, head).flatten().Times(1 / Temperature).tanh().Times(TanhConstant).Plus(prior);
            var order = decide(choice, logits.ToTensorData().ToDoubles());
            log = log.Plus(LogProbability(choice, logits, order));
            input = embedding.index_select(0, tensor(order.Select(k => (long)k).ToArray())).mean([0L], keepdim: true);
        }

        return log.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in parameters.Concat(byLabel.Values.Select(v => v.Prior)))
            tensor.Dispose();
    }

    // Of a row and a matrix. Too little for several threads, which matmul would start, and wait for.
    private static Tensor Product(Tensor row, Tensor matrix) => (row.t() * matrix).sum([0L], keepdim: true);

    private static Tensor LogProbability(Choice choice, Tensor logits, IReadOnlyList<int> order)
    {
        if (choice is InputChoice { ChosenCount: 0 })
        {
            var shut = nn.functional.logsigmoid(logits.neg());
            var signs = tensor(Enumerable.Range(0, choice.Candidates.Count).Select(k => order.Contains(k) ? 1.0 : -1.0).ToArray());
            // Given that not all are shut.
            return nn.functional.logsigmoid(logits * signs).sum() - shut.sum().exp().neg().log1p();
        }

        var left = Enumerable.Range(0, choice.Candidates.Count).Select(k => (long)k).ToList();
        var log = zeros([], float64);
        foreach (var k in order)
        {
            log = log.Plus(logits[k] - logits.index_select(0, tensor(left.ToArray())).logsumexp(0));
            left.Remove(k);
        }

        return log;
    }

    private static IReadOnlyList<int> Draw(Choice choice, double[] logits, SeededRandom random)
    {
        while (true)
        {
            var noise = Noise.For(choice, random);
            var order = Enumerable.Range(0, logits.Length).OrderByDescending(k => logits[k] + noise[k]).ToList();
            if (choice is not InputChoice { ChosenCount: var wanted })
                return [order[0]];
            var count = wanted > 0 ? wanted : order.Count(k => logits[k] + noise[k] > 0);
            if (count > 0)
                return [.. order.Take(count)];
        }
    }
}
