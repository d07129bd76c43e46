using System.IO.Compression;
using System.Runtime.InteropServices;
using OnnxNas.Search.Data;

namespace OnnxNas.Search.Tests.Data;

/// <summary>Arrays written first index fastest, as pandas, MATLAB, R and Julia do.</summary>
[TestClass]
public sealed class FortranOrderTests
{
    private static readonly int[][] Shapes = [[5, 1], [1, 5], [4, 3], [3, 2, 4], [2, 3, 4, 5], [2, 1, 3, 1, 2], [0, 3], [3, 0, 2]];

    [TestMethod]
    [DataRow("|u1", 1), DataRow("<f2", 2), DataRow(">i2", 2), DataRow("<f4", 4), DataRow(">f8", 8), DataRow("<i8", 8)]
    public void Every_shape_and_type_reads_as_in_C_order(string descr, int width)
    {
        foreach (var dims in Shapes)
        {
            foreach (var level in (CompressionLevel[])[CompressionLevel.NoCompression, CompressionLevel.Optimal])
            {
                var count = dims.Aggregate(1, (a, b) => a * b);
                var rows = Enumerable.Range(0, count * width).Select(i => (byte)(i * 37 + 11)).ToArray();
                var shape = $"({string.Join(", ", dims)},)";
                using var folder = new TempFolder();
                using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip(level,
                    ("c.npy", NpyBytes.Npy(descr, shape, rows)),
                    ("f.npy", NpyBytes.Npy(descr, shape, Columns(rows, dims, width), "True")))));
                CollectionAssert.AreEqual(file.Open("c").Dims.ToArray(), file.Open("f").Dims.ToArray());
                CollectionAssert.AreEqual(NpzFileTests.ReadAll(file.Open("c")), NpzFileTests.ReadAll(file.Open("f")), $"{descr} {shape} {level}");
            }
        }
    }

    [TestMethod]
    [DataRow(CompressionLevel.NoCompression), DataRow(CompressionLevel.Fastest)]
    public void An_array_that_is_not_held_in_memory_is_gathered_piece_by_piece(CompressionLevel level)
    {
        const int samples = 3_000_001;
        // Element e of sample s is 7s + e, 12 of them a sample: 72 MB.
        var elements = new short[samples * 12];
        for (var e = 0; e < 12; e++)
        {
            for (var s = 0; s < samples; s++)
                elements[e * samples + s] = unchecked((short)(7 * s + e));
        }

        using var folder = new TempFolder();
        using var file = new NpzFile(folder.Write("a.npz", NpyBytes.Zip(level, ("x.npy", NpyBytes.Npy("<i2", $"({samples}, 3, 4)", MemoryMarshal.AsBytes<short>(elements).ToArray(), "True")))));
        var array = file.Open("x");
        var sample = new short[12];
        foreach (var s in (int[])[0, 1, 999_999, 2_796_202, 2_796_203, samples - 1])
        {
            array.Read(s * 24L, MemoryMarshal.AsBytes(sample.AsSpan()));
            // [3,4] in Fortran order: element (i, j) is number i + 3j.
            for (var at = 0; at < 12; at++)
                Assert.AreEqual(unchecked((short)(7 * s + at / 4 + 3 * (at % 4))), sample[at], $"sample {s}, element {at}");
        }
    }

    // The same elements, first index fastest, by the definition.
    private static byte[] Columns(byte[] rows, int[] dims, int width)
    {
        var columns = new byte[rows.Length];
        for (var i = 0; i < rows.Length / width; i++)
        {
            var (rest, place, stride) = (i, 0, rows.Length / width);
            var index = new int[dims.Length];
            for (var axis = dims.Length - 1; axis >= 0; axis--)
                (rest, index[axis]) = Math.DivRem(rest, dims[axis]);
            for (var axis = dims.Length - 1; axis >= 0; axis--)
                place += index[axis] * (stride /= dims[axis]);
            rows.AsSpan(i * width, width).CopyTo(columns.AsSpan(place * width));
        }

        return columns;
    }
}
