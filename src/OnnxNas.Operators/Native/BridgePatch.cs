using System.Security.Cryptography;

namespace OnnxNas.Operators.Native;

/// <summary>
/// Makes a copy of TorchSharp's Linux library that loads on systems whose libstdc++ lacks the version <see cref="Version"/>
/// (Debian 12, Ubuntu 22.04). The library names that version, yet takes nothing from it: the one symbol behind it only marks the
/// compiler that was used. The copy calls the version optional; nothing else in it differs.
/// </summary>
internal static class BridgePatch
{
    /// <summary>The version of libstdc++.so.6 that the library names without using it.</summary>
    public const string Version = "GLIBCXX_3.4.32";

    /// <summary>The path of the patched copy, made in the user's cache folder if it is not there.</summary>
    /// <exception cref="NativeLibraryException">The library cannot be patched, or the copy cannot be written.</exception>
    public static string PatchedCopyOf(string library)
    {
        try
        {
            var image = File.ReadAllBytes(library);
            var name = $"{Path.GetFileNameWithoutExtension(library)}-{Convert.ToHexStringLower(SHA256.HashData(image))}.so";
            return ElfVersionNeed.Weaken(image, Version) == WeakenResult.Weakened
                ? PatchCache.ForUser().Store(name, image)
                : throw new NativeLibraryException(
                    $"{library} needs {Version} of libstdc++.so.6, which this system does not have: install libstdc++6 of GCC 13.2 or newer, "
                    + "or use Debian 13, Ubuntu 24.04 or newer.");
        }
        catch (InvalidDataException e)
        {
            throw new NativeLibraryException($"{library} is damaged ({e.Message}): delete its folder and restore again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NativeLibraryException($"cannot read {library}: {e.Message} Restore and build the program again.", e);
        }
    }
}
