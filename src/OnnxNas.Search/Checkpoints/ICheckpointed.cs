using OnnxNas.Ir;

namespace OnnxNas.Search.Checkpoints;

/// <summary>Something that a search changes as it goes on, and that a resumed search needs back.</summary>
public interface ICheckpointed
{
    /// <summary>Puts everything that changes into <paramref name="state"/>.</summary>
    void Save(CheckpointState state);

    /// <summary>Takes everything back. What is drawn at random or read from the data afresh needs no place in a checkpoint.</summary>
    /// <exception cref="CheckpointException">The state is of something else.</exception>
    void Restore(CheckpointState state);
}
