namespace OnnxNas.Search.Costs;

/// <summary>Measures how long a model takes for one sample, on the machine and with the threads it is meant for.</summary>
public interface IModelTimer
{
    /// <summary>Milliseconds of a run.</summary>
    /// <param name="model">The bytes of a plain model's file.</param>
    double Milliseconds(byte[] model);
}
