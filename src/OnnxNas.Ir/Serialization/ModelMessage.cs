namespace OnnxNas.Ir.Serialization;

/// <summary>A model as one message.</summary>
/// <param name="Bytes">The bytes of the message.</param>
/// <param name="DataFolder">The folder that external data is named from, as a full path; null where the bytes hold everything.</param>
public sealed record ModelMessage(byte[] Bytes, string? DataFolder);
