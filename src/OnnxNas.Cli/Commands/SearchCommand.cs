using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using OnnxNas.Cli.Reports;
using OnnxNas.Evaluation;
using OnnxNas.Ir;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;
using OnnxNas.Operators.Execution;
using OnnxNas.Operators.Native;
using OnnxNas.Search;
using OnnxNas.Search.Checkpoints;
using OnnxNas.Search.Costs;
using OnnxNas.Search.Metrics;
using OnnxNas.Search.Strategies;
using OnnxNas.Search.Supernets;
using OnnxNas.Search.Training;
using static TorchSharp.torch;

namespace OnnxNas.Cli.Commands;

/// <summary><c>search MODEL</c>: the main job, from a marked model and data to a plain, trained model that ONNX Runtime runs.</summary>
internal sealed class SearchCommand : CliCommand
{
    public override int Order => 1;

    public override Command Build(CommandContext context)
    {
        var settings = new Settings();
        var model = ModelArgument();
        // --output is an output of the model here.
        var output = OutputOption("Folder of the results [default: ./<model>.search]", "--out");
        var config = new Option<string>("--config") { Description = "Settings as a JSON file, with the keys of config.json; the command line wins" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Check everything, rehearse the search on one batch, and say what would be done" };
        var resume = new Option<string>("--resume") { Description = "Go on with the interrupted search whose results go to this folder" };
        var (memory, force, json) = (MemoryOption(), ForceOption(), JsonOption());
        var command = new Command("search", "Search a marked model for its best architecture") { model, output, config, dryRun, resume, memory, force, json };
        foreach (var option in settings.Options)
            command.Add(option);
        command.SetAction(parsed =>
        {
            var (path, most) = (parsed.GetRequiredValue(model), MemorySize.Parse(parsed.GetValue(memory)));
            using var checkpoint = parsed.GetValue(resume) is { } interrupted
                ? SearchCheckpoint.Find(interrupted, parsed.GetValue(output), parsed.GetValue(force))
                : SearchCheckpoint.New(parsed.GetValue(output) ?? Path.GetFileNameWithoutExtension(path) + ".search", parsed.GetValue(force));
            var options = settings.Read(parsed, parsed.GetValue(config), checkpoint.Options, StrategyDefaults);
            return parsed.GetValue(dryRun)
                ? DryRun(path, options, checkpoint.Results, most, context)
                : Report(checkpoint.Guard(path, () => checkpoint.AreResultsInPlace ? Done(checkpoint, parsed.GetValue(json)) : Run(path, options, checkpoint, most, parsed.GetValue(json), context)), checkpoint, context);
        });
        return command;
    }

    private static int DryRun(string path, SearchOptions options, string folder, long? memory, CommandContext context)
    {
        using var checking = context.Interruption.EndAtOnce();
        var marked = MarkedModel.Read(path, Patterns(options));
        context.Note(marked.Model);
        RequireStrategy(options);
        using var data = SearchData.Open(marked, path, options);
        marked = data.Marked;
        Supernet.RequireFits(marked.Space);
        var extents = InputExtents.Of(data.Split.Train, marked.Model.Graph);
        ParityGate.RequireLoadable(marked, extents, RunLimits.ForModel(marked.Model, memory));
        var progress = new SearchProgress(context.Error, data.Objective.NewMetric().Name, options);
        NoteThreads(options, progress);
        var costs = new SearchCosts(marked.Space, new OnnxTimer(options.EffectiveThreads()), extents);
        var device = SelectDevice(options);
        using var trainer = Prepare(marked, costs, data, options, progress, device, new(), context);
        new Rehearsal(marked, data, options, device).Run(trainer.Task);
        context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Would search {marked.Space.Size} architectures by {options.Strategy} with {data.Loss.Name} for {options.Epochs} epochs on {data.Split.Train.Count} + {data.Split.Valid.Count} samples, retrain the winner for {options.EffectiveRetrainEpochs()}, test it on {data.Split.Test?.Count ?? 0}, and write to {folder}."));
        if (ReachNote.Of(trainer) is { } note)
            context.Output.WriteLine($"Note: {note}.");
        return CommandLine.Done;
    }

    // When the results are in place and there is nothing to resume any more, so that it may fail.
    private static int Report(Action<TextWriter> report, SearchCheckpoint checkpoint, CommandContext context)
    {
        try
        {
            report(context.Output);
            context.Output.Flush();
            return CommandLine.Done;
        }
        catch (ReportException e)
        {
            throw new ReportException($"{e.Message} The search is done, and its results are in '{Path.GetRelativePath(Environment.CurrentDirectory, checkpoint.Results)}'.", e);
        }
    }

    // A search that was killed just before its end.
    private static Action<TextWriter> Done(SearchCheckpoint checkpoint, bool json)
    {
        var text = json
            ? InputFile.ReadText(Path.Combine(checkpoint.Results, "summary.json"), InputFile.LargestJson).TrimEnd()
            : $"The results are in {Path.GetRelativePath(Environment.CurrentDirectory, checkpoint.Results)} already.";
        return output => output.WriteLine(text);
    }

    // Returns what reports the results.
    private static Action<TextWriter> Run(string path, SearchOptions options, SearchCheckpoint checkpoint, long? memory, bool json, CommandContext context)
    {
        // Read and check everything before any work is done.
        var checking = context.Interruption.EndAtOnce();
        var marked = MarkedModel.Read(path, Patterns(options));
        context.Note(marked.Model);
        RequireStrategy(options);
        using var data = SearchData.Open(marked, path, options);
        marked = data.Marked;
        Supernet.RequireFits(marked.Space);
        var extents = InputExtents.Of(data.Split.Train, marked.Model.Graph);
        ParityGate.RequireLoadable(marked, extents, RunLimits.ForModel(marked.Model, memory));
        checking.Dispose();
        var device = SelectDevice(options);
        var threads = options.EffectiveThreads();
        set_num_threads(threads);
        manual_seed(options.Seed);
        var asked = options;
        options = options with { Loss = data.Loss.Name, Output = data.Objective.ChosenOutput, MinLr = options.EffectiveMinLr(), Threads = threads, RetrainEpochs = options.EffectiveRetrainEpochs() };
        var (objective, split, metric) = (data.Objective, data.Split, data.Objective.NewMetric().Name);
        var progress = new SearchProgress(context.Error, metric, options);
        NoteThreads(asked, progress);
        var checkpointer = checkpoint.Begin(path, marked, options);
        var timer = new RememberingTimer(new OnnxTimer(threads));
        checkpointer.Add("progress", progress);
        checkpointer.Add("latency", timer);

        // Search.
        var costs = new SearchCosts(marked.Space, timer, extents);
        using var trainer = Prepare(marked, costs, data, options, progress, device, checkpointer, context);
        if (checkpoint.Options is null)
            new Rehearsal(marked, data, options, device).Run(trainer.Task);
        var ranking = progress.Show("search", () =>
        {
            trainer.Fit();
            return trainer.Ranking(options.Top);
        });
        var architecture = ranking[0].Architecture;
        trainer.Supernet.WriteBack(marked.Model);

        // Cut the winner out and train it on, and so those it is compared with.
        var finisher = new Finisher(marked, data, options, progress, device, checkpointer, context.Cancellation);
        var (winner, inherited) = finisher.Winner(architecture);
        var baseline = finisher.Baseline(RandomSearch.Baseline(trainer.Task, options.Baseline), costs.Model);

        // Prove the file, then put it in place.
        Finisher.TakeWeights(marked.Model.Graph, winner.Graph);
        var bytes = Finisher.Written(winner);
        var parity = ParityGate.Require(marked, architecture, new(bytes, null), samples: GateSamples.Of(split.Valid, winner.Graph));
        var valid = OnnxScore.Of(bytes, split.Valid, objective, threads)[metric];
        var test = split.Test is null ? null : OnnxScore.Of(bytes, split.Test, objective, threads);
        if (options.RetrainEpochs == 0 && Chance.WhyPoor(valid, trainer.ValidMetric, objective.NewMetric(), split.Valid, data.Loss) is { } poor)
            progress.Note($"warning: the winner is not retrained (--retrain-epochs 0), and {poor} Its weights are those of the supernet, which were trained for all candidates together. Search again with --retrain-epochs, or train best.onnx on.");
        var (smallest, largest) = costs.Model.Range();
        var cost = costs.Model.Of(architecture);
        var latency = costs.KnownLatency is { } known
            ? new WinnerLatency(known.Table.Of(architecture), new ModelTimer(threads, cache: null).Measure(Finisher.Written(winner, extents)).Median, trainer.Task.Budget.Limits.FirstOrDefault(l => l.Table.Kind == CostKind.Latency)?.Limit)
            : null;
        var summary = new SearchSummary(
            Path.GetFileName(path), options.Strategy, options.Seed, options.Device, threads, options.Epochs, progress.Steps, options.BatchSize,
            marked.Space.Size.Digits, progress.Seconds("search"), progress.Seconds("retrain"), progress.MillisecondsPerStep,
            Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0, architecture.ToNames(),
            new(metric, double.IsFinite(trainer.ValidMetric) ? trainer.ValidMetric : null, inherited, valid, test?[metric], test), parity, cost.Parameters, cost.Macs, smallest, largest, latency, baseline);
        var ranked = RankedArchitecture.Of(trainer, ranking, costs);
        using (var results = ResultFolder.Create(checkpoint.Results, checkpoint.Replaces, checkpoint.Workspace))
        {
            results.Write("best.onnx", bytes);
            results.Write("arch.json", architecture.ToJson());
            results.Write("ranking.json", JsonText.Of(ranked) + "\n");
            results.Write("history.csv", progress.ToCsv());
            results.Write(ResultFolder.Config, ResultFolder.ConfigText(options));
            results.Write("summary.json", JsonText.Of(summary) + "\n");
            results.Commit();
        }

        var report = new StringWriter();
        if (json)
            report.WriteLine(JsonText.Of(summary));
        else
            summary.Write(report, trainer, architecture, ranked, Path.GetRelativePath(Environment.CurrentDirectory, checkpoint.Results));
        return output => output.Write(report.ToString());
    }

    private static void NoteThreads(SearchOptions options, SearchProgress progress)
    {
        if (options.Threads > options.EffectiveThreads())
            progress.Note($"--threads is {options.Threads}, and this machine has {options.EffectiveThreads()} cores, so {options.EffectiveThreads()} threads are used; numbers may differ in their last digits from those of another number of threads");
    }

    private static OneShotTrainer Prepare(MarkedModel marked, SearchCosts costs, SearchData data, SearchOptions options, SearchProgress progress, Device device, Checkpointer checkpointer, CommandContext context)
    {
        var budget = costs.Budget(options);
        budget.RequireReachable();
        var trainer = StrategyCatalog.Create(options.Strategy, new TrainingTask(
            marked.Space, data.Split.Train, data.Split.Valid, data.Loss, data.Objective.NewMetric, options, progress, device, context.Cancellation, checkpointer)
        {
            Penalty = costs.Penalty(options),
            Budget = budget,
        });
        if (data.Objective.Notes.Count > 0)
            progress.Note($"understood: {string.Join("; ", data.Objective.Notes)}");
        foreach (var warning in data.Objective.Warnings)
            progress.Note($"warning: {warning}");
        foreach (var note in Settings.Unused(options).Concat(costs.Model.WhyIncomplete is { } incomplete ? [incomplete] : Array.Empty<string>()).Concat(costs.Model.Assumed).Concat(NotTrainedNote.Of(marked.Import.Fixed)))
            progress.Note(note);
        return trainer;
    }

    private static TrainingPatterns Patterns(SearchOptions options) => new(options.Freeze, options.Train);

    private static void RequireStrategy(SearchOptions options)
    {
        if (options.Plugin is { } plugin)
            StrategyCatalog.Load(plugin);
        StrategyCatalog.Require(options.Strategy);
    }

    private static SearchOptions StrategyDefaults(SearchOptions options)
    {
        if (options.Plugin is { } plugin)
            StrategyCatalog.Load(plugin);
        return StrategyCatalog.Defaults(options);
    }

    private static Device SelectDevice(SearchOptions options)
    {
        TorchRuntime.EnsureLoaded();
        if (options.Device == "cuda" && !cuda.is_available())
            throw new UsageException("--device cuda: this is a CPU build, or no CUDA device is there. Build with -p:Accelerator=cuda on a machine with one, or use --device cpu.");
        return new Device(options.Device);
    }
}
