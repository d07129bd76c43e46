using System.Reflection;
using OnnxNas.Operators.Execution;
using TorchSharp;

namespace OnnxNas.Testing;

/// <summary>Looks for what <see cref="Scalars"/> warns of.</summary>
public static class TemporaryScalars
{
    private static readonly Lazy<HashSet<MethodBase>> Makers = new(FindMakers);

    /// <summary>
    /// The calls in an assembly of a TorchSharp method that makes a Scalar, itself or by way of other TorchSharp methods, and of anything in
    /// torch.optim, whose virtual methods do. <see cref="Scalars"/> itself is left out.
    /// </summary>
    public static IReadOnlyList<string> In(Assembly assembly) =>
        [.. from method in CompiledCode.Methods(assembly)
            where method.DeclaringType != typeof(Scalars) && method.DeclaringType?.DeclaringType != typeof(Scalars)
            from called in CompiledCode.Calls(method)
            where Makers.Value.Contains(called) || IsOptim(called.DeclaringType)
            select $"{CompiledCode.Describe(method)} calls {CompiledCode.Describe(called)}"];

    private static bool IsOptim(Type? type) => type is not null && (type == typeof(torch.optim) || IsOptim(type.DeclaringType));

    private static HashSet<MethodBase> FindMakers()
    {
        var library = typeof(Scalar).Assembly;
        var calls = CompiledCode.Methods(library).SelectMany(m => CompiledCode.Calls(m).Where(c => c.Module.Assembly == library).Select(c => (Caller: m, Called: c)));
        var callers = calls.ToLookup(c => c.Called, c => c.Caller);
        var makers = new HashSet<MethodBase>();
        var open = new Queue<MethodBase>(typeof(Scalar).GetConstructors(BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.Instance));
        while (open.TryDequeue(out var maker))
        {
            if (!makers.Add(maker))
                continue;
            foreach (var caller in callers[maker])
                open.Enqueue(caller);
        }

        return makers;
    }
}
