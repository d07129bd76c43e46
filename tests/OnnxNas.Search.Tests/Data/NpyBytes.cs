using System.IO.Compression;
using System.Text;

namespace OnnxNas.Search.Tests.Data;

/// <summary>Makes .npy and .npz bytes by hand and with the framework's zip writer, apart from the code under test.</summary>
internal static class NpyBytes
{
    public static byte[] Npy(string dict, byte[] data, byte version = 1)
    {
        var text = Encoding.ASCII.GetBytes(dict + "\n");
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes(text.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }

    public static byte[] Npy(string descr, string shape, byte[] data, string fortran = "False", byte version = 1) =>
        Npy($"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}", data, version);

    public static byte[] Zip(CompressionLevel level, params (string Name, byte[] Bytes)[] members)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in members)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    public static byte[] Zip(params (string Name, byte[] Bytes)[] members) => Zip(CompressionLevel.NoCompression, members);
}
