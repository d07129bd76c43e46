namespace OnnxNas.Ir.Passes.Import;

/// <summary>Recognises tables of sines and cosines by their numbers: the fixed codes of positions (Vaswani et al. 2017, §3.5), and the tables of rotary embeddings.</summary>
internal static class PositionTable
{
    // Below, any numbers would do.
    private const int LeastRows = 5;
    private const double Tolerance = 2e-3;

    /// <summary>Whether each column is sin(ω·t) or cos(ω·t) of the row t, some ω a column, and not all are constant.</summary>
    public static bool IsSines(TensorData data)
    {
        long[] dims = [.. data.Dims.Where(d => d > 1)];
        if (dims.Length != 2 || dims[0] < LeastRows || data.Type is not (ElementType.Float32 or ElementType.Float64 or ElementType.Float16))
            return false;
        var (rows, columns) = ((int)dims[0], (int)dims[1]);
        var numbers = data.ToDoubles();
        var moves = false;
        for (var c = 0; c < columns; c++)
        {
            if (!IsWave(numbers, rows, columns, c, out var isConstant))
                return false;
            moves |= !isConstant;
        }

        return moves;
    }

    // v(t+1) + v(t−1) = 2·cos(ω)·v(t) holds of sines and cosines, and of straight lines, which start elsewhere or leave [−1,1].
    private static bool IsWave(double[] numbers, int rows, int columns, int column, out bool isConstant)
    {
        isConstant = false;
        if (At(0) is not (0 or 1))
            return false;
        var (cross, square) = (0.0, 0.0);
        isConstant = true;
        for (var t = 1; t < rows; t++)
        {
            isConstant &= At(t) == At(0);
            if (Math.Abs(At(t)) > 1 + Tolerance)
                return false;
            if (t + 1 == rows)
                continue;
            cross += At(t) * (At(t + 1) + At(t - 1));
            square += At(t) * At(t);
        }

        var factor = square == 0 ? 2 : cross / square;
        for (var t = 1; t + 1 < rows; t++)
        {
            if (Math.Abs(At(t + 1) + At(t - 1) - factor * At(t)) > Tolerance)
                return false;
        }

        return true;

        double At(int t) => numbers[t * columns + column];
    }
}
