using OnnxNas.Ir;
using OnnxNas.Search.Choices;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Tests.Training;
using OnnxNas.Search.Training;
using OnnxNas.Testing;
using static TorchSharp.torch;

namespace OnnxNas.Search.Tests.Costs;

[TestClass]
public sealed class PenalisedSearchTests
{
    // α is float32, so that a smaller step would drown in rounding.
    private const float Step = 1e-2f;

    [TestMethod]
    public void The_gradient_of_alpha_through_supernet_and_cost_is_that_of_finite_differences()
    {
        foreach (var form in Enum.GetValues<PenaltyForm>())
            Assert.IsLessThan(1e-3, Deviation(form, detached: false), $"{form}");
    }

    [TestMethod]
    public void The_mutant_whose_cost_is_detached_from_alpha_fails_the_check_of_the_gradient()
    {
        foreach (var form in Enum.GetValues<PenaltyForm>())
            Assert.IsGreaterThan(0.05, Deviation(form, detached: true), $"{form}");
    }

    [TestMethod]
    public void A_task_without_limits_allows_everything()
    {
        var task = SmallTask.Of(Net(), new());
        Assert.IsNull(task.Penalty);
        Assert.IsTrue(task.Budget.Allows(Architecture.First(task.Space)));
    }

    // The largest difference between the gradient and central differences, relative to the largest slope.
    private static double Deviation(PenaltyForm form, bool detached)
    {
        var net = Net();
        var table = CostNets.CostOf(net).Macs;
        using var trainer = new Penalised(SmallTask.Of(net, new() { BatchSize = 16, Seed = 3 }), new(table, 0.3 * table.Range().Largest, 0.5, form), detached);
        trainer.Supernet.Module.UpdateBuffers = false;
        var (gradients, slopes) = (new List<double>(), new List<double>());
        foreach (var (_, batch) in trainer.Task.Batches(0).Take(1))
        {
            foreach (var alpha in trainer.Supernet.ArchitectureParameters)
            {
                gradients.AddRange(autograd.grad([trainer.Loss(batch)], [alpha], allow_unused: true)[0].data<double>().ToArray());
                var start = alpha.detach().data<double>().ToArray();
                for (var i = 0; i < start.Length; i++)
                    slopes.Add((At(batch, alpha, start, i, Step) - At(batch, alpha, start, i, -Step)) / (2 * Step));
            }
        }

        return gradients.Zip(slopes, (g, s) => Math.Abs(g - s)).Max() / slopes.Max(Math.Abs);

        double At(Batch batch, Tensor alpha, double[] start, int index, double by)
        {
            var moved = (double[])start.Clone();
            moved[index] += by;
            using (no_grad())
                alpha.copy_(tensor(moved));
            var loss = trainer.Loss(batch).to_type(ScalarType.Float64).item<double>();
            using (no_grad())
                alpha.copy_(tensor(start));
            return loss;
        }
    }

    private static Model Net()
    {
        var net = new NetBuilder(5, ElementType.Float64);
        var x = net.Input("x", CostNets.N, 4);
        var first = net.LayerChoice("first", null, net.Op("Tanh", CostNets.Bottleneck(net, "a", x, 6)), net.Op("Sigmoid", net.Linear("b", x, 4, 4)), x);
        var second = net.LayerChoice("second", null, net.Op("Tanh", net.Linear("c", first, 4, 4)), first);
        return net.Build((net.Linear("head", second, 4, 2), [CostNets.N, 2]));
    }

    private sealed class Penalised : RelaxedTrainer
    {
        private readonly CostPenalty penalty;
        private readonly bool detached;

        public Penalised(TrainingTask task, CostPenalty penalty, bool detached) : base(task)
        {
            (this.penalty, this.detached) = (penalty, detached);
            Relax();
        }

        public Tensor Loss(Batch batch) => penalty.Apply(LossOf(batch), c => detached ? ProbabilityTensor(c).detach() : ProbabilityTensor(c));
    }
}
