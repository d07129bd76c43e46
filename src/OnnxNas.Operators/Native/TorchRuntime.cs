using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using TorchSharp;

namespace OnnxNas.Operators.Native;

/// <summary>
/// The native half of TorchSharp. It is loaded together with TorchSharp, so that no other libtorch on the machine is found in its place, and nothing
/// needs to be called for that once any member of this assembly has run. A program that uses torch before anything of OnnxNas calls <see cref="EnsureLoaded"/> first.
/// </summary>
public static class TorchRuntime
{
    // The switch of a program whose own code does not use torch, as is the command line: all of OnnxNas calls EnsureLoaded first, and what needs no torch starts without it.
    private const string OnDemand = "OnnxNas.LoadTorchOnDemand";

    /// <summary>The version of libtorch this build is made for, for example <c>2.10.0</c>.</summary>
    public static string LibTorchVersion => BuildFacts.LibTorchVersion;

    /// <summary>Loads libtorch now, so that a machine it cannot run on is reported before any work is done.</summary>
    /// <exception cref="NativeLibraryException">It is missing, cannot be loaded, or another one was loaded before; the message says what to do.</exception>
    public static void EnsureLoaded()
    {
        _ = TorchLibraries.Bridge;
        RuntimeHelpers.RunClassConstructor(typeof(torch).TypeHandle);
    }

    // CA2255: every host of this library needs the handlers, and TorchSharp offers no hook of its own.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register()
    {
        var context = AssemblyLoadContext.GetLoadContext(typeof(TorchRuntime).Assembly) ?? AssemblyLoadContext.Default;
        context.ResolvingUnmanagedDll += Resolve;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => LoadBefore(loaded.LoadedAssembly);
        foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies())
            LoadBefore(assembly);
    }

    // TorchSharp's static constructor asks the system for libtorch by its bare name, and no resolver is asked before the system's own search,
    // which may find another version (Debian's python3-torch, LD_LIBRARY_PATH). So ours is in the process before any code of TorchSharp can run:
    // the loader then knows it by its name, and searches no more.
    private static void LoadBefore(Assembly assembly)
    {
        if (!IsTorchSharp(assembly))
            return;
        try
        {
            NativeLibrary.SetDllImportResolver(assembly, (name, _, _) => TorchLibraries.Resolve(name));
        }
        catch (InvalidOperationException)
        {
            // The program has a resolver of its own; the loader still knows our libraries by their names.
        }

        if (AppContext.TryGetSwitch(OnDemand, out var isOnDemand) && isOnDemand)
            return;
        try
        {
            _ = TorchLibraries.Bridge;
        }
        catch (NativeLibraryException)
        {
            // A program that never uses torch can do without; the first use of torch gives the exception again.
        }
    }

    private static bool IsTorchSharp(Assembly assembly) => assembly.GetName().Name == "TorchSharp";

    private static nint Resolve(Assembly asking, string name)
    {
        if (!IsTorchSharp(asking))
        {
            return 0;
        }

        try
        {
            return TorchLibraries.Resolve(name);
        }
        catch (NativeLibraryException) when (IsTorchSharpProbing())
        {
            // TorchSharp swallows the exception here, prints a misleading text to the standard output and copies half a gigabyte
            // into the program's folder before it gives up. So its probe is answered with a handle it never looks into: the
            // native call that follows asks again, and that one passes the exception on.
            return NativeLibrary.GetMainProgramHandle();
        }
    }

    private static bool IsTorchSharpProbing() =>
        new StackTrace().GetFrames().Any(f => f.GetMethod() is { Name: "TryLoadNativeLibraryByName", DeclaringType.Name: "torch" });
}
