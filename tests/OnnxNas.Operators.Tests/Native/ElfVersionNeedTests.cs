using System.Buffers.Binary;
using OnnxNas.Operators.Native;

namespace OnnxNas.Operators.Tests.Native;

[TestClass]
public sealed class ElfVersionNeedTests
{
    private static readonly string Library =
        Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    [TestMethod]
    public void In_the_real_library_one_bit_changes_and_it_is_the_weak_flag_of_the_entry()
    {
        var before = File.ReadAllBytes(Library);
        var after = (byte[])before.Clone();
        Assert.AreEqual(WeakenResult.Weakened, ElfVersionNeed.Weaken(after, BridgePatch.Version));

        // Found without the code under test: an entry begins with the hash of its name.
        Span<byte> hash = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(hash, SystemVHash(BridgePatch.Version));
        var entry = before.AsSpan().IndexOf(hash);
        Assert.AreEqual(entry, before.AsSpan().LastIndexOf(hash), "The hash is not unique in the library.");

        var changed = Enumerable.Range(0, before.Length).Where(i => before[i] != after[i]).ToList();
        CollectionAssert.AreEqual(new[] { entry + 4 }, changed);
        Assert.AreEqual(0, before[entry + 4]);
        Assert.AreEqual(2, after[entry + 4]);
    }

    [TestMethod]
    public void A_second_time_nothing_changes()
    {
        var once = File.ReadAllBytes(Library);
        ElfVersionNeed.Weaken(once, BridgePatch.Version);
        var twice = (byte[])once.Clone();
        Assert.AreEqual(WeakenResult.AlreadyWeak, ElfVersionNeed.Weaken(twice, BridgePatch.Version));
        Assert.IsTrue(once.AsSpan().SequenceEqual(twice));
    }

    [TestMethod]
    public void A_version_whose_symbols_the_real_library_takes_is_left_alone()
    {
        var before = File.ReadAllBytes(Library);
        var after = (byte[])before.Clone();
        Assert.AreEqual(WeakenResult.InUse, ElfVersionNeed.Weaken(after, "GLIBCXX_3.4.21"));
        Assert.AreEqual(WeakenResult.NoSuchVersion, ElfVersionNeed.Weaken(after, "GLIBCXX_3.4.99"));
        Assert.AreEqual(WeakenResult.NoSuchVersion, ElfVersionNeed.Weaken(after, "GLIBCXX_3.4.3"));
        Assert.IsTrue(before.AsSpan().SequenceEqual(after));
    }

    [TestMethod]
    public void A_relocation_for_a_symbol_of_the_version_forbids_the_change()
    {
        var image = TinyElf.WithRelocationsFor(symbol: 1);
        var before = (byte[])image.Clone();
        Assert.AreEqual(WeakenResult.InUse, ElfVersionNeed.Weaken(image, "A"));
        CollectionAssert.AreEqual(before, image);
        Assert.AreEqual(WeakenResult.Weakened, ElfVersionNeed.Weaken(image, "B"));
    }

    [TestMethod]
    public void A_relocation_for_a_symbol_of_another_version_does_not()
    {
        var image = TinyElf.WithRelocationsFor(symbol: 2);
        Assert.AreEqual(WeakenResult.Weakened, ElfVersionNeed.Weaken(image, "A"));
        Assert.AreEqual(2, image[TinyElf.FlagsOfA]);
        Assert.AreEqual(WeakenResult.InUse, ElfVersionNeed.Weaken(image, "B"));
    }

    [TestMethod]
    public void A_truncated_library_is_refused()
    {
        var whole = File.ReadAllBytes(Library);
        foreach (var length in (int[])[0, 3, 63, 64, 1000, whole.Length / 2, whole.Length - 1])
        {
            Assert.ThrowsExactly<InvalidDataException>(() => ElfVersionNeed.Weaken(whole.AsSpan(0, length), BridgePatch.Version), $"{length} bytes");
        }
    }

    [TestMethod]
    public void A_file_is_seen_to_be_cut_short_without_reading_all_of_it()
    {
        ElfImage.RequireWhole(Library);
        var path = Path.GetTempFileName();
        try
        {
            File.Copy(Library, path, overwrite: true);
            File.SetAttributes(path, FileAttributes.Normal);
            foreach (var length in (long[])[new FileInfo(path).Length - 1, 100_000, 10, 0])
            {
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(length);
                }

                Assert.ThrowsExactly<InvalidDataException>(() => ElfImage.RequireWhole(path), $"{length} bytes");
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [TestMethod]
    public void Damage_anywhere_is_refused_or_harmless_and_never_crashes()
    {
        var whole = TinyElf.WithRelocationsFor(symbol: 1);
        for (var i = 0; i < whole.Length; i++)
        {
            foreach (var value in (byte[])[0, 1, 0x7f, 0xff])
            {
                var image = (byte[])whole.Clone();
                image[i] = value;
                var before = (byte[])image.Clone();
                try
                {
                    if (ElfVersionNeed.Weaken(image, "A") == WeakenResult.Weakened)
                    {
                        before[TinyElf.FlagsOfA] |= 2;
                    }
                }
                catch (InvalidDataException)
                {
                    // Refused.
                }

                Assert.IsTrue(before.AsSpan().SequenceEqual(image), $"byte {i} = {value}");
            }
        }
    }

    [TestMethod]
    public void A_damaged_library_is_named_with_the_next_step()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "not a library");
            var error = Assert.ThrowsExactly<NativeLibraryException>(() => BridgePatch.PatchedCopyOf(path));
            Assert.StartsWith($"{path} is damaged", error.Message);
            Assert.Contains("restore again", error.Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The hash of names in ELF files, as the System V ABI gives it.</summary>
    private static uint SystemVHash(string name)
    {
        var hash = 0u;
        foreach (var c in name)
        {
            hash = (hash << 4) + c;
            var top = hash & 0xf0000000;
            hash = (hash ^ (top >> 24)) & ~top;
        }

        return hash;
    }
}
