using System.CommandLine;
using OnnxNas.Benchmarks;

return new RootCommand("Programs that make the demo and measure.") { MakeDemo.Command(), Baseline.Command(), LatencyError.Command(), ResumeCheck.Command(), Truth.Command(), Compare.Command(), BudgetCheck.Command(), Decoys.Command() }.Parse(args).Invoke();
