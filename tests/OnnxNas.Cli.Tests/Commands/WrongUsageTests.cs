using System.Reflection;
using System.Text.Json;
using OnnxNas.Search;

namespace OnnxNas.Cli.Tests.Commands;

/// <summary>An option that makes no sense, whatever the model and the data are, is wrong usage wherever it is given.</summary>
[TestClass]
public sealed class WrongUsageTests
{
    // Any seed is one, and axes count from the end too.
    private static readonly string[] MayBeNegative = [nameof(SearchOptions.Seed), nameof(SearchOptions.ClassAxis)];

    public static IEnumerable<object[]> OutOfRange =>
        from property in typeof(SearchOptions).GetProperties()
        let type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType
        where (type == typeof(int) || type == typeof(double)) && !MayBeNegative.Contains(property.Name)
        select new object[] { JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), "-1" };

    [TestMethod]
    [DynamicData(nameof(OutOfRange))]
    [DataRow("class_axis", "0")]
    [DataRow("strategy", "\"nonsense\"")]
    [DataRow("strategy", "\"\"")]
    [DataRow("loss", "\"nonsense\"")]
    [DataRow("device", "\"nonsense\"")]
    [DataRow("schedule", "\"nonsense\"")]
    [DataRow("decay", "\"nonsense\"")]
    [DataRow("cost", "\"nonsense\"")]
    [DataRow("init", "\"nonsense\"")]
    [DataRow("penalty_form", "\"nonsense\"")]
    [DataRow("penalty_shape", "\"nonsense\"")]
    [DataRow("proxyless_gradient", "\"nonsense\"")]
    [DataRow("cost_target", "\"nonsense\"")]
    [DataRow("max_macs", "\"nonsense\"")]
    [DataRow("max_params", "\"nonsense\"")]
    [DataRow("max_latency_ms", "\"nonsense\"")]
    public void It_ends_with_2_on_the_command_line_and_in_a_settings_file(string key, string value)
    {
        using var bench = new Workbench();
        var model = bench.Classifier();
        var text = value.Trim('"');
        bench.Refuses(2, text, "search", model, "-o", bench["out"], $"--{key.Replace('_', '-')}={text}");
        File.WriteAllText(bench["config.json"], $$"""{"{{key}}": {{value}}}""");
        bench.Refuses(2, text, "search", model, "-o", bench["out"], "--config", bench["config.json"]);
    }

    [TestMethod]
    public void A_guard_that_a_strategy_does_not_have_is_wrong_usage()
    {
        using var bench = new Workbench();
        bench.Refuses(2, "--auxiliary-skip is for strategies", "search", bench.Classifier(), "-o", bench["out"], "--strategy", "spos", "--auxiliary-skip");
    }

    [TestMethod]
    public void What_the_runtime_wraps_an_error_in_is_not_told()
    {
        using var bench = new Workbench();
        var (code, _, error) = Workbench.Run("search", bench.Classifier(), "-o", bench["out"], "--plugin", typeof(WrongUsageTests).Assembly.Location, "--strategy", nameof(Wrapping));
        Assert.AreEqual(1, code);
        Assert.Contains("what went wrong", error);
        Assert.DoesNotContain(nameof(TargetInvocationException), error);
        Assert.DoesNotContain(nameof(TypeInitializationException), error);
    }
}

internal sealed class Wrapping : Search.Training.OneShotTrainer
{
    public Wrapping(Search.Training.TrainingTask task) : base(task) =>
        throw new TypeInitializationException("Type", new TargetInvocationException(new AggregateException(new Ir.ChoiceException("what went wrong"))));

    public override void Fit() => throw new NotSupportedException();

    public override Search.Choices.Architecture Export() => throw new NotSupportedException();
}
