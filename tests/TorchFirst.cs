using System.Runtime.CompilerServices;
using OnnxNas.Operators.Native;

namespace OnnxNas.Testing;

/// <summary>Lets a test use torch before it uses anything of OnnxNas: compiled into every test program.</summary>
internal static class TorchFirst
{
    [ModuleInitializer]
    internal static void Register() => RuntimeHelpers.RunModuleConstructor(typeof(TorchRuntime).Module.ModuleHandle);
}
