using System.Text.RegularExpressions;

namespace OnnxNas.Ir.Passes.Import;

/// <summary>What the name of a constant says about it: exporters name parameters after the modules that hold them, and number everything else.</summary>
internal static partial class ParameterNames
{
    private static readonly HashSet<string> ParameterWords =
    [
        "weight", "weights", "kernel", "bias", "biases", "gamma", "beta", "alpha", "lambda", "theta", "tau", "temp", "temperature", "gate", "gates", "gating", "slope", "gain",
        "param", "params", "parameter", "parameters", "logit", "rezero", "resweight", "skipinit", "layerscale", "embedding", "token", "readvariableop",
    ];

    private static readonly HashSet<string> LiteralWords =
    [
        "eps", "epsilon", "const", "constant", "literal", "zero", "zeros", "one", "ones", "two", "three", "four", "half", "inf", "none", "pi", "sqrt", "rsqrt", "min", "max", "lower",
        "upper", "scalar", "dim", "size", "fill", "num", "count", "mean", "std", "var", "ratio",
    ];

    /// <summary>Whether a tool made the name up: <c>onnx::Mul_73</c>, <c>Constant_12</c>, <c>/relu/Constant_output_0</c>, <c>const_fold_opt__12</c>, <c>Const:0</c>, <c>mul/y:0</c>, <c>val_3</c>, <c>27</c>.</summary>
    public static bool IsAutomatic(string name) => Automatic().IsMatch(name) || Numbered().IsMatch(name) && !Words(name).Any(ParameterWords.Contains);

    /// <summary>Whether a single number of that name is a parameter: the last word says so, or the name is a path into modules.</summary>
    public static bool IsParameter(string name)
    {
        var words = Words(name);
        return !IsAutomatic(name) && !IsLiteral(name) && (words.Any(ParameterWords.Contains) || Path().IsMatch(name));
    }

    /// <summary>Whether the last word is that of a literal: <c>eps</c>, <c>block.eps</c>, <c>two</c>.</summary>
    public static bool IsLiteral(string name) => Words(name) is [.., var last] && LiteralWords.Contains(last);

    /// <summary>Why a tensor of that name is no parameter, or null.</summary>
    public static string? WhyFixed(string name)
    {
        var last = name.Split('/', '.', ':').LastOrDefault(p => p.Length > 0 && !p.All(char.IsDigit) && p != "ReadVariableOp") ?? name;
        return Statistics().IsMatch(last) ? "its name says that it holds running statistics"
            : Pixels().IsMatch(last) ? "its name says that it holds the mean or deviation of pixels"
            : Places().IsMatch(last) ? "its name says that it holds fixed places (anchors, a grid or strides)"
            : Waves().IsMatch(last) ? "its name says that it is a table of sines"
            : null;
    }

    // gammaOf.blockTwo_3 → gamma of block two.
    private static List<string> Words(string name) => [.. Word().Matches(name.Replace("ReadVariableOp", "readvariableop", StringComparison.Ordinal)).Select(m => m.Value.ToLowerInvariant())];

    [GeneratedRegex(@"^\d+$|^onnx::|(^|/)[Cc]onst(ant)?(_\d+)?(_output_\d+|_value)?(__\d+)?(:\d+)?$|const_fold_opt|_output_\d+$|(^|/)[a-z]+(_\d+)?/[xy](:\d+)?$|^_{0,2}(val|v|tmp|t|const|constant|int|float|value)_?\d+$|lifted_tensor|_tensor_constant|scalar_tensor", RegexOptions.CultureInvariant)]
    private static partial Regex Automatic();

    [GeneratedRegex(@"^[A-Z][A-Za-z0-9]*_\d+$", RegexOptions.CultureInvariant)]
    private static partial Regex Numbered();

    // model.block.0.scale, not /model/block.
    [GeneratedRegex(@"^[A-Za-z_][\w\-]*(\.[\w\-]+)+$", RegexOptions.CultureInvariant)]
    private static partial Regex Path();

    [GeneratedRegex(@"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", RegexOptions.CultureInvariant)]
    private static partial Regex Word();

    [GeneratedRegex(@"^(running|moving)_?(mean|var|variance|std)$|^num_batches_tracked$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Statistics();

    [GeneratedRegex(@"^(pixel|image|img|input)_?(mean|std|var)s?$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Pixels();

    [GeneratedRegex(@"(^|_)(anchors?|anchor_grid|grid|grids|grid_[xy]|strides?)$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Places();

    [GeneratedRegex(@"inv_freq|freqs_cis|sinusoid|rotary|(^|_)(cos|sin)(_cached|_cache|_table)?$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Waves();
}
