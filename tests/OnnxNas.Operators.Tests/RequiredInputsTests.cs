using System.Globalization;
using OnnxNas.Ir;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests;

/// <summary>A required input that is left out is refused when the node is bound, by every version of every operator; the ONNX project's own list is the judge.</summary>
[TestClass]
public sealed class RequiredInputsTests
{
    [TestMethod]
    public void Each_required_input_is_missed_and_no_optional_one_is()
    {
        var wrong = new List<string>();
        var checkedInputs = 0;
        foreach (var (name, since, inputs) in Listed())
        {
            var definition = OperatorRegistry.Default.Definitions.FirstOrDefault(d => d.Domain.Length == 0 && d.Name == name);
            if (definition is null || !definition.Versions.Contains(since))
                continue;
            var count = inputs.Length;
            for (var left = 0; left < count; left++)
            {
                // Exporters omit what version 11 of Resize calls required, and ONNX Runtime takes it.
                var isOptional = inputs[left].Contains('?', StringComparison.Ordinal) || name == "Resize" && since == 11 && left > 0;
                var isRefused = Refuses(name, since, count, left);
                checkedInputs++;
                if (isRefused == isOptional)
                    wrong.Add($"{name} {since}: input {left} ({inputs[left]}) {(isRefused ? "is refused when left out, though optional" : "may be left out, though required")}");
            }
        }

        Assert.IsEmpty(wrong, string.Join('\n', wrong));
        Assert.IsGreaterThan(500, checkedInputs);
    }

    [TestMethod]
    [DataRow("HardSwish", 1), DataRow("Gemm", 2), DataRow("GlobalAveragePool", 1), DataRow("BatchNormalization", 5), DataRow("Concat", 3), DataRow("Conv", 2), DataRow("If", 1), DataRow("Where", 3)]
    public void The_message_names_the_node_its_operator_and_the_input(string op, int count)
    {
        var error = Assert.ThrowsExactly<ModelFormatException>(() => Bind(op, 17, count, count - 1));
        Assert.Contains($"{op} 'y'", error.Message);
        Assert.Contains($"input {count - 1} is missing", error.Message);
    }

    private static bool Refuses(string op, int opset, int count, int left)
    {
        try
        {
            Bind(op, opset, count, left);
        }
        catch (ModelFormatException e) when (e.Message.Contains($"input {left} is missing", StringComparison.Ordinal))
        {
            return true;
        }
        catch (OnnxNasException)
        {
            // Something else about the bare node, such as an attribute that is not there: its inputs pass.
        }

        return false;
    }

    private static void Bind(string op, int opset, int count, int left)
    {
        var graph = new Graph("g");
        var inputs = Enumerable.Range(0, count).Select(i => i == left ? null : graph.AddInput($"x{i}", new TensorType(ElementType.Float32, null))).ToArray();
        var node = graph.AddNode(op, inputs, [graph.AddValue("y")]);
        OperatorRegistry.Default.Bind(node, new Dictionary<string, int> { [""] = opset });
    }

    // Operators whose bodies or variadic inputs have to be there are left out of the list's rules: they have tests of their own.
    private static IEnumerable<(string Name, int Since, string[] Inputs)> Listed()
    {
        string[] special = ["Loop", "Scan", "If"];
        foreach (var line in File.ReadLines(RepositoryFiles.Shared("facts", "onnx-operators.tsv")).Skip(1))
        {
            var cells = line.Split('\t');
            if (cells[0] == "ai.onnx" && !special.Contains(cells[1]) && cells[5].Length > 0)
                yield return (cells[1], int.Parse(cells[2], CultureInfo.InvariantCulture), cells[5].Split(", "));
        }
    }
}
