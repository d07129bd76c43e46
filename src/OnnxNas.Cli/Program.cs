using OnnxNas.Cli;

try
{
    return CommandLine.Run(args, Console.Out, Console.Error);
}
catch (Exception e) when (e is IOException or BadImageFormatException or TypeInitializationException)
{
    // Parts of the program itself cannot be loaded: they are missing, or the system lets it open too few files.
    new ProgressWriter(Console.Error).WriteLine($"error: The program cannot be loaded: {e.Message.ReplaceLineEndings(" ")} Install it again, or allow more open files (ulimit -n).");
    return CommandLine.Failed;
}
