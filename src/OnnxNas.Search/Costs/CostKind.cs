using System.Globalization;

namespace OnnxNas.Search.Costs;

/// <summary>What can be limited or penalised.</summary>
public enum CostKind
{
    /// <summary>Multiply-accumulate operations for one sample.</summary>
    Macs,

    /// <summary>Elements of trained tensors.</summary>
    Params,

    /// <summary>Milliseconds for one sample in ONNX Runtime.</summary>
    Latency,
}

/// <summary>How costs are written.</summary>
public static class CostText
{
    /// <summary><c>54,968,960 MACs</c>, <c>1.25 ms</c>.</summary>
    public static string Of(CostKind kind, double value) => kind switch
    {
        CostKind.Macs => string.Create(CultureInfo.InvariantCulture, $"{value:N0} MACs"),
        CostKind.Params => string.Create(CultureInfo.InvariantCulture, $"{value:N0} parameters"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:G4} ms"),
    };
}
