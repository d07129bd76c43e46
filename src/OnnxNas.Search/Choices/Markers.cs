using OnnxNas.Ir;

namespace OnnxNas.Search.Choices;

/// <summary>Names of the marker format: operators, attributes and their domain.</summary>
public static class Markers
{
    /// <summary>The domain of marker operators.</summary>
    public const string Domain = "org.onnxnas";

    /// <summary>The version of the domain.</summary>
    public const int Version = 1;

    /// <summary>The operator that picks one of its inputs.</summary>
    public const string LayerChoice = "LayerChoice";

    /// <summary>The operator that picks and joins some of its inputs.</summary>
    public const string InputChoice = "InputChoice";

    /// <summary>Whether a node is a marker.</summary>
    public static bool IsMarker(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Domain == Domain;
    }
}
