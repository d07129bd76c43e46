using System.Diagnostics;
using OnnxNas.Ir;

namespace OnnxNas.Search.Checkpoints;

/// <summary>Gathers the state of everything that takes part in a search into checkpoints, and gives each part its state back where a search is resumed.</summary>
public sealed class Checkpointer
{
    private readonly Action<CheckpointState>? keep;
    private readonly CheckpointState? resumed;
    private readonly OrderedDictionary<string, ICheckpointed> parts = [];
    private long last = Stopwatch.GetTimestamp();

    /// <summary>A checkpointer.</summary>
    /// <param name="keep">Takes each checkpoint; null = none is made.</param>
    /// <param name="resumed">The checkpoint that is gone on from.</param>
    public Checkpointer(Action<CheckpointState>? keep = null, CheckpointState? resumed = null) => (this.keep, this.resumed) = (keep, resumed);

    /// <summary>How long work that has no epochs goes on without a checkpoint.</summary>
    internal TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Takes a part in, and gives it back its state of the resumed checkpoint.</summary>
    /// <exception cref="CheckpointException">That state is of something else.</exception>
    public void Add(string section, ICheckpointed part)
    {
        ArgumentNullException.ThrowIfNull(part);
        parts.Add(section, part);
        if (resumed?.HasSection(section) == true)
            part.Restore(resumed.Section(section));
    }

    /// <summary>Keeps a part's state as it is now for all later checkpoints; the part itself is not asked any more.</summary>
    public void Freeze(string section)
    {
        if (keep is not null)
            parts[section] = new Frozen(parts[section]);
    }

    /// <summary>
    /// Makes a checkpoint of all parts as they are. Nothing is done while a part of the resumed checkpoint is still to come: the search is not yet where it was.
    /// </summary>
    public void Save()
    {
        if (keep is null || resumed?.Values.Any(section => !parts.ContainsKey(section.Key)) == true)
            return;
        var state = new CheckpointState();
        foreach (var (section, part) in parts)
            part.Save(state.Section(section));
        keep(state);
        last = Stopwatch.GetTimestamp();
    }

    /// <summary>Makes a checkpoint if the last one was made some time ago. For work that has no epochs.</summary>
    public void SaveNowAndThen()
    {
        if (Stopwatch.GetElapsedTime(last) >= Pause)
            Save();
    }

    /// <summary>Makes a checkpoint and stops, where that is asked for. To be called between steps.</summary>
    /// <exception cref="OperationCanceledException">It was asked for.</exception>
    public void StopIfAsked(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
            Save();
        cancellation.ThrowIfCancellationRequested();
    }

    private sealed class Frozen : ICheckpointed
    {
        private readonly CheckpointState state = new();

        public Frozen(ICheckpointed part) => part.Save(state);

        public void Save(CheckpointState state) => this.state.CopyTo(state);

        public void Restore(CheckpointState state) => throw new InvalidOperationException("What is frozen has its state already.");
    }
}
