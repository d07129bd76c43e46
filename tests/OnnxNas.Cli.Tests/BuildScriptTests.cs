using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using OnnxNas.Testing;

namespace OnnxNas.Cli.Tests;

[TestClass]
public sealed class BuildScriptTests
{
    private static readonly string Script = Path.Combine(RepositoryFiles.Root, "build.ps1");

    [TestMethod]
    public void It_parses()
    {
        Parser.ParseFile(Script, out _, out var errors);
        Assert.AreEqual("", string.Join('\n', errors.Select(e => e.ToString())));
    }

    [TestMethod]
    public void Help_lists_every_target()
    {
        var names = Run("help").Select(line => line.Split(' ')[0]);
        Assert.AreEqual("help restore build test pack publish clean", string.Join(' ', names));
    }

    [TestMethod]
    public void An_unknown_target_is_refused_before_anything_runs()
    {
        var output = new List<string>();
        var error = Assert.ThrowsExactly<RuntimeException>(() => Run(output, "help", "deploy"));
        Assert.AreEqual("Unknown target 'deploy': the targets are help, restore, build, test, pack, publish, clean.", error.Message);
        Assert.IsEmpty(output);
    }

    [TestMethod]
    public void Clean_deletes_nothing_when_asked_what_if()
    {
        var bin = Path.Combine(RepositoryFiles.Root, "tests", "OnnxNas.Cli.Tests", "bin");
        Assert.IsTrue(Directory.Exists(bin));
        Assert.IsEmpty(Run("clean", "-WhatIf"));
        Assert.IsTrue(Directory.Exists(bin));
    }

    [TestMethod]
    public void Targets_run_in_the_order_given()
    {
        using var dotnet = new FakeDotNet(exitCode: 0);
        Run("restore", "build", "test", "pack", "publish");
        Assert.AreEqual("restore build test pack publish", string.Join(' ', dotnet.Calls().Select(call => call.Split(' ')[0])));
        foreach (var call in dotnet.Calls())
        {
            Assert.EndsWith("-p:Accelerator=cpu", call.TrimEnd());
        }
    }

    [TestMethod]
    public void A_step_that_fails_ends_the_run_with_an_error()
    {
        using var dotnet = new FakeDotNet(exitCode: 3);
        var error = Assert.ThrowsExactly<RuntimeException>(() => Run("build", "test"));
        Assert.Contains("failed with exit code 3", error.Message);
        Assert.HasCount(1, dotnet.Calls());
    }

    private static List<string> Run(params string[] arguments)
    {
        var output = new List<string>();
        Run(output, arguments);
        return output;
    }

    private static void Run(List<string> output, params string[] arguments)
    {
        // Only the core of PowerShell comes with the package, so the script may use no command of another module.
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
        }

        using var shell = PowerShell.Create(state);
        shell.AddScript($"& '{Script}' {string.Join(' ', arguments)}");
        shell.Invoke(null, output);
    }

    /// <summary>A program called dotnet, first on the path, that notes its arguments.</summary>
    private sealed class FakeDotNet : IDisposable
    {
        private readonly string? path = Environment.GetEnvironmentVariable("PATH");
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory();

        public FakeDotNet(int exitCode)
        {
            if (OperatingSystem.IsWindows())
            {
                File.WriteAllText(Path.Combine(folder.FullName, "dotnet.cmd"), $"@echo %*>>\"{Log}\"\r\n@exit {exitCode}\r\n");
            }
            else
            {
                var program = Path.Combine(folder.FullName, "dotnet");
                File.WriteAllText(program, $"#!/bin/sh\necho \"$@\" >>'{Log}'\nexit {exitCode}\n");
                File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }

            Environment.SetEnvironmentVariable("PATH", folder.FullName + Path.PathSeparator + path);
        }

        private string Log => Path.Combine(folder.FullName, "calls");

        public string[] Calls() => File.ReadAllLines(Log);

        public void Dispose()
        {
            Environment.SetEnvironmentVariable("PATH", path);
            folder.Delete(recursive: true);
        }
    }
}
