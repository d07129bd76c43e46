using OnnxNas.Operators.Native;
using TorchSharp;

// libtorch's generator and thread settings are global, so tests run one after another.
[assembly: DoNotParallelize]

namespace OnnxNas.Search.Tests;

[TestClass]
public static class AssemblySettings
{
    // The tests' tensors are too small to be shared out: on a busy machine threads cost many times what they save.
    [AssemblyInitialize]
    public static void Begin(TestContext context)
    {
        TorchRuntime.EnsureLoaded();
        torch.set_num_threads(1);
    }
}
