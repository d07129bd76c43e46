using System.CommandLine;
using System.CommandLine.Parsing;
using System.ComponentModel;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using OnnxNas.Cli.Reports;
using OnnxNas.Ir;
using OnnxNas.Ir.Serialization;
using OnnxNas.Search;
using OnnxNas.Search.Strategies;

namespace OnnxNas.Cli;

/// <summary>
/// One option of the command line for every property of <see cref="SearchOptions"/>. Settings are the defaults, overlaid by a settings file,
/// overlaid by the command line; all three speak the same keys. A resumed search keeps its settings.
/// </summary>
internal sealed class Settings
{
    private const string PluginKey = "plugin";

    // A resumed search takes these from another place, if they are the same files.
    private static readonly string[] Places = ["data", "valid", "test", PluginKey];

    private readonly List<(PropertyInfo Property, Option Option, Func<ParseResult, object?> Read)> options = [];

    private readonly Option plugin;

    public Settings()
    {
        foreach (var property in typeof(SearchOptions).GetProperties())
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            options.Add(type == typeof(int) ? Make(property, ParseInt) : type == typeof(bool) ? Make<bool?>(property) : type == typeof(double) ? Make(property, ParseDouble) : type == typeof(string) ? Make<string?>(property) : Make<string[]>(property));
        }

        plugin = options.Single(o => KeyOf(o.Property) == PluginKey).Option;
    }

    /// <summary>The options, in the order of the properties.</summary>
    public IEnumerable<Option> Options => options.Select(o => o.Option);

    /// <summary>The settings of a command line.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="file">The settings file.</param>
    /// <param name="kept">The settings of the search that is resumed.</param>
    /// <param name="defaults">Puts the defaults of a strategy in place of the general ones; they may hang on what the user set, and yield to it.</param>
    /// <exception cref="UsageException">The settings file is missing or holds a key or value that makes no sense, or a setting contradicts those kept.</exception>
    public SearchOptions Read(ParseResult parsed, string? file, SearchOptions? kept, Func<SearchOptions, SearchOptions> defaults)
    {
        var given = file is null ? [] : ReadFile(file);
        RequireNamed(kept?.Plugin, "The checkpoint was made with the plugin");
        RequireNamed(given[PluginKey] is JsonValue named && named.TryGetValue<string>(out var library) ? library : null, $"'{file}' names the plugin");
        try
        {
            return Overlay(kept ?? defaults(Overlay(new()))).Checked();
        }
        catch (JsonException e)
        {
            throw new UsageException($"'{file}' holds a value of the wrong kind at {e.Path}.");
        }
        catch (ArgumentException e)
        {
            throw new UsageException(e.Message);
        }

        SearchOptions Overlay(SearchOptions start)
        {
            var merged = JsonSerializer.SerializeToNode(start, JsonText.Options)!.AsObject();
            foreach (var (key, value) in given)
            {
                if (!merged.ContainsKey(key))
                    throw new UsageException($"'{file}' has the key '{key}'; the keys are {string.Join(", ", merged.Select(m => m.Key))}.");
                Set(merged, key, value?.DeepClone());
            }

            foreach (var (property, option, read) in options)
            {
                if (parsed.GetResult(option) is { Implicit: false })
                    Set(merged, KeyOf(property), JsonSerializer.SerializeToNode(read(parsed), JsonText.Options));
            }

            return merged.Deserialize<SearchOptions>(JsonText.Options)!;
        }

        void Set(JsonObject merged, string key, JsonNode? value)
        {
            if (kept is not null && !Places.Contains(key) && !JsonNode.DeepEquals(merged[key], value))
                throw new UsageException($"--{key.Replace('_', '-')} {Text(value)} contradicts the search that is resumed, which has {Text(merged[key])}. Leave it out to go on, or start anew with --force.");
            merged[key] = value;
        }

        static string Text(JsonNode? value) => value?.ToString() ?? "none";

        // A checkpoint or a settings file may be someone else's: only the command line says what code is run.
        void RequireNamed(string? plugin, string what)
        {
            if (plugin is not null && parsed.GetResult(this.plugin) is not { Implicit: false })
                throw new UsageException($"{what} '{plugin}', and code is loaded only where the command line says so. Add --plugin {plugin} if you trust it.");
        }
    }

    /// <summary>Says of each setting that is not its default and that the strategy does not use whom it is for. A trainer of one's own may use any.</summary>
    public static IEnumerable<string> Unused(SearchOptions options)
    {
        if (!StrategyCatalog.IsBuiltIn(options.Strategy))
            return [];
        var defaults = StrategyCatalog.Defaults(new() { Strategy = options.Strategy });
        return from property in typeof(SearchOptions).GetProperties()
               let users = property.GetCustomAttribute<UsedByAttribute>()?.Strategies
               where users?.Contains(options.Strategy) == false && !Equals(property.GetValue(options), property.GetValue(defaults))
               select $"{OptionOf(property)} is for {string.Join(", ", users)}; {options.Strategy} does not use it";
    }

    private static JsonObject ReadFile(string file)
    {
        try
        {
            return JsonNode.Parse(InputFile.ReadText(file, InputFile.LargestJson), documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject ?? throw new UsageException($"'{file}' is no JSON object.");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new UsageException($"'{file}' cannot be read as JSON: {e.Message}");
        }
    }

    private static (PropertyInfo Property, Option Option, Func<ParseResult, object?> Read) Make<T>(PropertyInfo property, Func<ArgumentResult, T>? parse = null)
    {
        var value = property.GetValue(new SearchOptions()) is var given && given is IReadOnlyList<string> { Count: 0 } ? null : given;
        var users = property.GetCustomAttribute<UsedByAttribute>() is { } used ? string.Join(", ", used.Strategies) + ": " : "";
        var option = new Option<T>(OptionOf(property))
        {
            Description = $"{users}{property.GetCustomAttribute<DescriptionAttribute>()?.Description} [default: {FormattableString.Invariant($"{value ?? "none"}")}]",
            CustomParser = parse,
        };
        return (property, option, parsed => parsed.GetValue(option));
    }

    private static int? ParseInt(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var value))
            return value;
        return Wrong<int?>(result, BigInteger.TryParse(text, CultureInfo.InvariantCulture, out _) ? $"between {int.MinValue} and {int.MaxValue}" : "a whole number");
    }

    // Without separators of thousands, as 0,5 would be taken for 5.
    private static double? ParseDouble(ArgumentResult result) =>
        double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : Wrong<double?>(result, "a number");

    private static T? Wrong<T>(ArgumentResult result, string expected)
    {
        result.AddError($"{((OptionResult)result.Parent!).Option.Name} is {result.Tokens[0].Value}; it must be {expected}.");
        return default;
    }

    private static string OptionOf(PropertyInfo property) => "--" + KeyOf(property).Replace('_', '-');

    private static string KeyOf(PropertyInfo property) => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
}
