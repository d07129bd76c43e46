using OnnxNas.Ir.Passes.Import;

namespace OnnxNas.Ir.Tests.Passes.Import.Parameters;

[TestClass]
public sealed class PositionTableTests
{
    [TestMethod]
    [DataRow(8, 4)]
    [DataRow(512, 64)]
    public void Tables_of_sines_are_known_whichever_way_they_are_laid_out(int rows, int width)
    {
        double Frequency(int i) => Math.Pow(10_000, -2.0 * i / width);
        Assert.IsTrue(PositionTable.IsSines(Table(rows, width, (t, c) => c % 2 == 0 ? Math.Sin(t * Frequency(c / 2)) : Math.Cos(t * Frequency(c / 2)))), "interleaved");
        Assert.IsTrue(PositionTable.IsSines(Table(rows, width, (t, c) => c < width / 2 ? Math.Sin(t * Frequency(c)) : Math.Cos(t * Frequency(c - width / 2)))), "in halves");
        Assert.IsTrue(PositionTable.IsSines(Table(rows, width, (t, c) => Math.Cos(t * Frequency(c % (width / 2))))), "cosines alone");
    }

    [TestMethod]
    public void Learned_tables_are_none()
    {
        var random = new SeededRandom(3);
        Assert.IsFalse(PositionTable.IsSines(Table(16, 8, (_, _) => 0.02 * random.NextGaussian())), "drawn");
        Assert.IsFalse(PositionTable.IsSines(Table(16, 8, (_, _) => 0)), "zeros");
        Assert.IsFalse(PositionTable.IsSines(Table(16, 8, (_, _) => 1)), "ones");
        Assert.IsFalse(PositionTable.IsSines(Table(16, 8, (t, c) => (t == 0 ? 0 : 1) * random.NextGaussian())), "a first row of zeros");
        Assert.IsFalse(PositionTable.IsSines(Table(8, 8, (t, c) => t == c ? 1 : 0)), "the unit matrix");
        Assert.IsFalse(PositionTable.IsSines(Table(3, 4, (t, c) => Math.Sin(t))), "too short to tell");
        Assert.IsFalse(PositionTable.IsSines(Table(16, 8, (t, c) => Math.Sin(t * Math.Pow(10, -c)) + (t == 9 && c == 3 ? 0.05 : 0))), "trained since");
    }

    private static TensorData Table(int rows, int columns, Func<int, int, double> element) =>
        TensorData.Create<float>([1, rows, columns], [.. Enumerable.Range(0, rows * columns).Select(i => (float)element(i / columns, i % columns))]);
}
