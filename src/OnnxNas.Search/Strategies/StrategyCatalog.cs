using System.Reflection;
using OnnxNas.Ir;
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

/// <summary>The strategies of this assembly, found by their attribute.</summary>
public static class StrategyCatalog
{
    private static readonly SortedDictionary<string, (string Description, Type Type)> Known = new(
        (from type in typeof(StrategyCatalog).Assembly.GetTypes()
         let attribute = type.GetCustomAttribute<StrategyAttribute>()
         where attribute is not null
         select (attribute, type)).ToDictionary(s => s.attribute.Name, s => (s.attribute.Description, s.type)),
        StringComparer.Ordinal);

    /// <summary>Names and descriptions, in order of name.</summary>
    public static IEnumerable<(string Name, string Description)> All => Known.Select(s => (s.Key, s.Value.Description));

    /// <summary>Checks a name.</summary>
    /// <exception cref="ChoiceException">There is no such strategy.</exception>
    public static void Require(string name)
    {
        if (!Known.ContainsKey(name))
            throw new ChoiceException($"There is no strategy '{name}'; use one of {string.Join(", ", Known.Keys)}.");
    }

    /// <summary>The trainer of that name, ready to fit.</summary>
    /// <exception cref="ChoiceException">There is no such strategy, or it cannot handle a choice of the model.</exception>
    public static OneShotTrainer Create(string name, TrainingTask task)
    {
        Require(name);
        return (OneShotTrainer)Activator.CreateInstance(Known[name].Type, BindingFlags.DoNotWrapExceptions, null, [task], null)!;
    }
}
