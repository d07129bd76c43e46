using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>The table of operators in the project's README.</summary>
[TestClass]
public sealed class OperatorTableTests
{
    private const string Rewrite = "ONNXNAS_REWRITE_TABLES";
    private const string Begin = "<!-- operators: generated, see OperatorTableTests -->\n";
    private const string End = "<!-- end of operators -->\n";

    [TestMethod]
    public void The_table_is_that_of_the_registry()
    {
        var path = Path.Combine(RepositoryFiles.Root, "src", "OnnxNas.Operators", "README.md");
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        var (begin, end) = (text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length, text.IndexOf(End, StringComparison.Ordinal));
        var current = text[..begin] + OperatorTable.Of(OperatorRegistry.Default) + text[end..];
        if (Environment.GetEnvironmentVariable(Rewrite) == "1")
            File.WriteAllText(path, current);
        else
            Assert.AreEqual(current, text, $"{path} is not current. Run this test once with {Rewrite}=1 in the environment; it then writes the table anew.");
    }
}
