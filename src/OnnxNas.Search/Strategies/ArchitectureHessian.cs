using OnnxNas.Ir;
using OnnxNas.Operators.Execution;
using OnnxNas.Search.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace OnnxNas.Search.Strategies;

/// <summary>
/// The Hessian of a loss in α, as products with vectors: H·v ≈ (∇L(α + εv) − ∇L(α − εv))/2ε for ‖v‖ = 1. Central differences of first derivatives rather than second ones by autograd, since not every operator
/// has a second derivative in libtorch, and asking for one that is missing ends the process. The error is of order ε², the same on every run.
/// </summary>
/// <param name="alphas">α. Between the calls it is bit for bit as it was.</param>
/// <param name="loss">The loss at α as it is, the same function at every call.</param>
internal sealed class ArchitectureHessian(IReadOnlyList<Parameter> alphas, Func<Tensor> loss)
{
    // Wide enough for float32 gradients, narrow for the curvature of a softmax, which changes over distances of about 1.
    private const double Radius = 0.01;

    // Twice as many gradients are computed. Eigenvalues at the end of the spectrum need few.
    private const int MostSteps = 20;

    // How far, relative to it, the vector that belongs to the eigenvalue may be from an eigenvector. The error of the eigenvalue is of the order of the square.
    private const double Tolerance = 0.01;

    private readonly int size = (int)alphas.Sum(a => a.numel());

    /// <summary>The largest eigenvalue, by the method of Lanczos with every vector orthogonalised against all before: exact but for ε where α has no more than 20 numbers.</summary>
    public double LargestEigenvalue()
    {
        var random = new SeededRandom(1);
        double[] start = [.. Enumerable.Range(0, size).Select(_ => random.NextGaussian())];
        var q = Scaled(start, 1 / Math.Sqrt(Dot(start, start)));
        var basis = new List<double[]>();
        var (diagonal, beside) = (new List<double>(), new List<double>());
        while (true)
        {
            basis.Add(q);
            var w = Times(q);
            diagonal.Add(Dot(w, q));
            // Once more, since the first time leaves what rounding adds.
            for (var pass = 0; pass < 2; pass++)
            {
                foreach (var known in basis)
                    Add(w, known, -Dot(w, known));
            }

            var (length, (largest, last)) = (Math.Sqrt(Dot(w, w)), Tridiagonal(diagonal, beside));
            if (basis.Count == Math.Min(size, MostSteps) || !(length * last > Tolerance * Math.Abs(largest)))
                return largest;
            beside.Add(length);
            q = Scaled(w, 1 / length);
        }
    }

    /// <summary>H·v for a vector of length 1 over all of α.</summary>
    public double[] Times(double[] v)
    {
        using var scope = NewDisposeScope();
        Tensor[] start;
        using (no_grad())
            start = [.. alphas.Select(a => a.clone())];
        try
        {
            var (plus, minus) = (GradientAt(start, v, Radius), GradientAt(start, v, -Radius));
            return [.. plus.Zip(minus, (p, m) => (p - m) / (2 * Radius))];
        }
        finally
        {
            using var off = no_grad();
            foreach (var (alpha, before) in alphas.Zip(start))
                alpha.copy_(before);
        }
    }

    private double[] GradientAt(Tensor[] start, double[] v, double length)
    {
        using var scope = NewDisposeScope();
        using (no_grad())
        {
            var offset = 0;
            foreach (var (alpha, before) in alphas.Zip(start))
            {
                var part = tensor(v.Skip(offset).Take((int)alpha.numel()).Select(x => length * x).ToArray(), alpha.shape, device: alpha.device);
                alpha.copy_(before.to_type(ScalarType.Float64).Plus(part));
                offset += (int)alpha.numel();
            }
        }

        return [.. GradientStep.Of(loss(), alphas).SelectMany((g, i) => g is null ? new double[alphas[i].numel()] : g.ToTensorData().ToDoubles())];
    }

    // The largest eigenvalue of a symmetric tridiagonal matrix, by halving an interval, and the last number of its eigenvector of length 1.
    private static (double Largest, double Last) Tridiagonal(List<double> diagonal, List<double> beside)
    {
        double Side(int i) => i < 0 || i >= beside.Count ? 0 : Math.Abs(beside[i]);
        var low = diagonal.Max();
        var high = diagonal.Select((d, i) => d + Side(i - 1) + Side(i)).Max();
        for (var middle = (low + high) / 2; low < middle && middle < high; middle = (low + high) / 2)
        {
            if (IsAbove(middle))
                high = middle;
            else
                low = middle;
        }

        var vector = new double[diagonal.Count];
        vector[0] = 1;
        for (var i = 1; i < vector.Length; i++)
            vector[i] = ((high - diagonal[i - 1]) * vector[i - 1] - (i > 1 ? beside[i - 2] * vector[i - 2] : 0)) / beside[i - 1];
        return (high, Math.Abs(vector[^1]) / Math.Sqrt(Dot(vector, vector)));

        // Whether no eigenvalue is larger: all pivots of x·1 − T are positive.
        bool IsAbove(double x)
        {
            var pivot = 1.0;
            for (var i = 0; i < diagonal.Count; i++)
            {
                pivot = x - diagonal[i] - (i > 0 ? beside[i - 1] * beside[i - 1] / pivot : 0);
                if (pivot <= 0)
                    return false;
            }

            return true;
        }
    }

    private static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static void Add(double[] a, double[] b, double factor)
    {
        for (var i = 0; i < a.Length; i++)
            a[i] += factor * b[i];
    }

    private static double[] Scaled(double[] a, double length) => [.. a.Select(x => x * length)];
}
