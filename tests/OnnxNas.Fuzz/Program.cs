using System.CommandLine;
using OnnxNas.Fuzz;
using OnnxNas.Fuzz.Running;

return new RootCommand("Makes damaged models from a seed, and has every command read them.")
{
    FuzzCommand.Seed, FuzzCommand.Count, FuzzCommand.Only, FuzzCommand.Parents, FuzzCommand.Output, Worker.Command(),
}.With(FuzzCommand.Run).Parse(args).Invoke();
