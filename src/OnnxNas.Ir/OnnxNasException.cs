namespace OnnxNas.Ir;

/// <summary>
/// The base of every error this project reports to its user. The message is finished: what is wrong, where,
/// what was found and expected, and what to do next.
/// </summary>
public abstract class OnnxNasException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A file is not a usable ONNX model, or a graph breaks the rules of ONNX.</summary>
public sealed class ModelFormatException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>An operator, a version of it, an attribute value or an element type that is not implemented.</summary>
public sealed class UnsupportedOperatorException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>Shapes or element types of a node's inputs do not fit the operator.</summary>
public sealed class ShapeInferenceException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>An option, given on a command line, in a settings file or by a program, makes no sense whatever the model and the data are.</summary>
public sealed class UsageException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>A choice marker, an architecture or a search setting is wrong.</summary>
public sealed class ChoiceException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>A data file is missing, damaged, or does not fit the model.</summary>
public sealed class DataException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>Training went wrong, though model and data are fine: the loss is not finite, memory ran out.</summary>
public sealed class TrainingException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>A run would take more memory or time than it is allowed: a small file can ask for much.</summary>
public sealed class ResourceLimitException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>ONNX Runtime and the supernet answer differently to the same inputs.</summary>
public sealed class ParityException(string message, Exception? inner = null) : OnnxNasException(message, inner);

/// <summary>A checkpoint is missing, damaged, or of another search.</summary>
public sealed class CheckpointException(string message, Exception? inner = null) : OnnxNasException(message, inner);
