using OnnxNas.Evaluation;

namespace OnnxNas.Ir.Tests.Passes;

/// <summary>Builds small float models for pass tests.</summary>
internal sealed class ModelBuilder
{
    private int weights;

    public ModelBuilder(int opset = 17, long irVersion = 8)
    {
        Graph = new Graph("main");
        Model = new Model(Graph) { IrVersion = irVersion };
        Model.OpsetImports[""] = opset;
    }

    public Model Model { get; }

    public Graph Graph { get; }

    public Value Input(string name, params Dim[] extents) => Graph.AddInput(name, new TensorType(ElementType.Float32, new Shape(extents)));

    public Value Weight(params long[] dims) =>
        Graph.AddConstant("w", RandomInputs.Draw(ElementType.Float32, dims, new SeededRandom(7, weights++)));

    public Value Filled(float value, params long[] dims)
    {
        var data = new float[dims.Aggregate(1L, (a, b) => a * b)];
        Array.Fill(data, value);
        return Graph.AddConstant("c", TensorData.Create<float>(dims, data));
    }

    public Value Ints(params long[] values) => Graph.AddConstant("i", TensorData.Vector<long>(values));

    public Value Call(string op, params Value?[] inputs) => Graph.Call(op, inputs);

    public Value Call(string op, Attr[] attributes, params Value?[] inputs) => Graph.Call(op, inputs, attributes: attributes);

    /// <summary>
    /// An If on a true constant. The branches apply an operator to a value of this graph each; without one they return the value itself,
    /// which ONNX allows and ONNX Runtime refuses to load.
    /// </summary>
    public Value If(Value then, Value otherwise, string? op = null)
    {
        var branches = new[] { then, otherwise }.Select(value =>
        {
            var branch = new Graph("branch", Graph);
            var result = op is null ? value : branch.Call(op, [value]);
            result.Type ??= new TensorType(ElementType.Float32);
            branch.AddOutput(result);
            return branch;
        }).ToArray();
        return Call("If", [Attr.Of("then_branch", branches[0]), Attr.Of("else_branch", branches[1])], Graph.AddConstant("condition", TensorData.Scalar(true)));
    }

    public ModelBuilder Output(string name, Value value)
    {
        Graph.Rename(value, name);
        Graph.AddOutput(value);
        value.Type ??= new TensorType(ElementType.Float32);
        return this;
    }
}
