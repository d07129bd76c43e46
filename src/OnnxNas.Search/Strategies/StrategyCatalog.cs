using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Native;
using OnnxNas.Search.Training;

namespace OnnxNas.Search.Strategies;

/// <summary>Names a <see cref="OneShotTrainer"/> for <c>--strategy</c>. The class needs a public constructor that takes a <see cref="TrainingTask"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StrategyAttribute(string name, string description) : Attribute
{
    /// <summary>The name on the command line.</summary>
    public string Name { get; } = name;

    /// <summary>One line for the help.</summary>
    public string Description { get; } = description;
}

/// <summary>A strategy whose paper has settings of its own. The user's win over them.</summary>
public interface IStrategyDefaults
{
    /// <summary>The options with the strategy's settings in place of the general ones.</summary>
    static abstract SearchOptions Defaults(SearchOptions options);
}

/// <summary>The strategies there are: those of this assembly, and of every assembly that is added.</summary>
public static class StrategyCatalog
{
    private static readonly SortedDictionary<string, (string Description, Type Type)> Known = new(StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<Assembly, string> Plugins = [];

    private static readonly byte[] LibraryStart = [.. "MZ"u8];

    static StrategyCatalog() => Add(typeof(StrategyCatalog).Assembly);

    /// <summary>Names and descriptions, in order of name.</summary>
    public static IEnumerable<(string Name, string Description)> All => Known.Select(s => (s.Key, s.Value.Description));

    /// <summary>
    /// Adds the trainers of an assembly: its classes, not nested in others, that derive from <see cref="OneShotTrainer"/> and have a public constructor that takes a
    /// <see cref="TrainingTask"/>. Each goes by the name of its <see cref="StrategyAttribute"/>, or else of its class. Adding an assembly again changes nothing.
    /// </summary>
    /// <exception cref="ChoiceException">There is another strategy of that name.</exception>
    public static void Add(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        foreach (var type in assembly.GetTypes().Where(t => t is { IsAbstract: false, IsNested: false } && t.IsSubclassOf(typeof(OneShotTrainer)) && t.GetConstructor([typeof(TrainingTask)]) is not null))
        {
            var attribute = type.GetCustomAttribute<StrategyAttribute>();
            var name = attribute?.Name ?? type.Name;
            if (!Known.TryAdd(name, (attribute?.Description ?? $"from {assembly.GetName().Name}", type)) && Known[name].Type != type)
                throw new ChoiceException($"Strategy '{name}' is in {assembly.GetName().Name} and in {Known[name].Type.Assembly.GetName().Name}; rename one, by [Strategy(\"name\", \"…\")].");
        }
    }

    /// <summary>Adds the trainers of a .NET library file.</summary>
    /// <exception cref="ChoiceException">The file is no .NET library, lacks a library it needs, fails as it is loaded, or has no trainer.</exception>
    public static void Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        // A library may use torch as soon as it is loaded.
        TorchRuntime.EnsureLoaded();
        try
        {
            using (var file = InputFile.Open(path))
            {
                var start = new byte[LibraryStart.Length];
                file.Read(0, start.AsSpan(0, (int)Math.Min(start.Length, file.Length)));
                if (!start.AsSpan().SequenceEqual(LibraryStart))
                    throw new BadImageFormatException("It is no .NET library.");
            }

            var assembly = Assembly.LoadFrom(Path.GetFullPath(path));
            Plugins.TryAdd(assembly, path);
            Add(assembly);
            if (!Known.Values.Any(s => s.Type.Assembly == assembly))
                throw new ChoiceException($"Plugin '{path}' has no trainer. A trainer is a class that derives from OneShotTrainer, is neither abstract nor nested, and has a public constructor that takes a TrainingTask.");
        }
        // Attributes of a trainer are code of the plugin, and may throw anything.
        catch (Exception e) when (e is not OnnxNasException and not OutOfMemoryException)
        {
            var cause = e is ReflectionTypeLoadException { LoaderExceptions: [{ } first, ..] } ? first : e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            throw new ChoiceException($"Plugin '{path}' cannot be loaded: {cause.Message} Give a .NET library built against this version of OnnxNas.", e);
        }
    }

    /// <summary>The plugin whose code an exception came out of or through, as a path; null where there is none.</summary>
    public static string? PluginOf(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            foreach (var frame in new StackTrace(e).GetFrames())
            {
                if (frame.GetMethod()?.DeclaringType?.Assembly is { } assembly && Plugins.TryGetValue(assembly, out var path))
                    return path;
            }
        }

        return null;
    }

    /// <summary>Whether a strategy is one of this assembly.</summary>
    public static bool IsBuiltIn(string name) => Known.TryGetValue(name, out var strategy) && strategy.Type.Assembly == typeof(StrategyCatalog).Assembly;

    /// <summary>Checks a name.</summary>
    /// <exception cref="UsageException">There is no such strategy.</exception>
    public static void Require(string name)
    {
        if (!Known.ContainsKey(name))
            throw new UsageException($"There is no strategy '{name}'; use one of {string.Join(", ", Known.Keys)}, or name the library it is in with --plugin.");
    }

    /// <summary>The options with the settings of their strategy in place of the general ones; as they are where it has none, or is not known.</summary>
    public static SearchOptions Defaults(SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.Strategy is { } name && Known.TryGetValue(name, out var strategy) ? DefaultsOf(strategy.Type, options) : options;
    }

    /// <summary>The options with the settings of a trainer's class in place of the general ones.</summary>
    internal static SearchOptions DefaultsOf(Type trainer, SearchOptions options) => trainer.IsAssignableTo(typeof(IStrategyDefaults))
        ? (SearchOptions)trainer.GetMethod(nameof(IStrategyDefaults.Defaults), BindingFlags.Public | BindingFlags.Static | BindingFlags.FlattenHierarchy, [typeof(SearchOptions)])!.Invoke(null, [options])!
        : options;

    /// <summary>The trainer of that name, ready to fit.</summary>
    /// <exception cref="UsageException">There is no such strategy, or it does not have a guard that the options ask for.</exception>
    /// <exception cref="ChoiceException">It cannot handle a choice of the model.</exception>
    public static OneShotTrainer Create(string name, TrainingTask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        Require(name);
        if (!Known[name].Type.IsSubclassOf(typeof(RelaxedTrainer)))
        {
            foreach (var (option, isOn) in new[] { ("--eigenvalue-stop", task.Options.EigenvalueStop), ("--auxiliary-skip", task.Options.AuxiliarySkip) })
            {
                if (isOn)
                    throw new UsageException($"{option} is for strategies that mix all candidates ({string.Join(", ", Known.Where(s => s.Value.Type.IsSubclassOf(typeof(RelaxedTrainer))).Select(s => s.Key))}), and {name} is none of them. Leave it out, or use one of those; --max-skips is for all.");
            }
        }

        return (OneShotTrainer)Activator.CreateInstance(Known[name].Type, BindingFlags.DoNotWrapExceptions, null, [task], null)!;
    }
}
