using OnnxNas.Operators.Execution;
using OnnxNas.Testing;

namespace OnnxNas.Operators.Tests.Execution;

[TestClass]
public sealed class MatrixProductTests
{
    [TestMethod]
    public void Matrices_are_multiplied_only_where_their_types_have_been_checked()
    {
        var callers = CompiledCode.Methods(typeof(MatrixProduct).Assembly)
            .Where(m => CompiledCode.Calls(m).Any(c => c.Name == "matmul"))
            .Select(CompiledCode.Describe).ToList();
        Assert.ContainsSingle(c => c.Contains(nameof(MatrixProduct), StringComparison.Ordinal), callers);
        Assert.HasCount(1, callers, string.Join('\n', callers));
    }
}
