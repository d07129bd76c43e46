using System.Diagnostics;

namespace OnnxNas.Testing;

/// <summary>Runs a program again in a process of its own, with other variables of the environment.</summary>
public static class FreshProcess
{
    /// <summary>One test of the running test program.</summary>
    public static (int ExitCode, string Output) RunTest(Type tests, string test, params (string Name, string Value)[] environment)
    {
        ArgumentNullException.ThrowIfNull(tests);
        string[] filter = ["--filter", $"FullyQualifiedName={tests.FullName}.{test}"];
        return Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet"
            ? Run(Environment.ProcessPath!, [tests.Assembly.Location, .. filter], environment)
            : Run(Environment.ProcessPath!, filter, environment);
    }

    /// <summary>A .NET program that lies beside this one.</summary>
    public static (int ExitCode, string Output) RunLibrary(string file, IReadOnlyList<string> arguments, params (string Name, string Value)[] environment) =>
        Run("dotnet", [Path.Combine(AppContext.BaseDirectory, file), .. arguments], environment);

    /// <summary>Any program.</summary>
    public static (int ExitCode, string Output) Run(string program, IReadOnlyList<string> arguments, params (string Name, string Value)[] environment)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(environment);
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + error.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }
}
