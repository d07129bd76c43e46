using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace OnnxNas.Evaluation.Isolation;

/// <summary>
/// The worker's side: reads jobs from the standard input and writes a reply to each on the standard output, a line of its own behind a mark, since native
/// libraries may print there too. The process ends with the one that started it: when its standard input closes, even in the middle of a job.
/// </summary>
public static class WorkerLoop
{
    internal const string DoneMark = "\u001eonnxnas+";
    internal const string FailedMark = "\u001eonnxnas!";

    /// <summary>Serves until the standard input closes.</summary>
    /// <param name="jobs">By name, what computes a reply from a payload.</param>
    public static void Serve(IReadOnlyDictionary<string, Func<byte[], byte[]>> jobs)
    {
        ArgumentNullException.ThrowIfNull(jobs);
        using var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        Console.SetOut(Console.Error);
        using var requests = new BlockingCollection<(string Job, byte[] Payload)>();
        var open = new int[1];
        var reader = new Thread(() => Read(requests, open)) { IsBackground = true, Name = "requests" };
        reader.Start();
        Reply(output, DoneMark, []);
        foreach (var (job, payload) in requests.GetConsumingEnumerable())
        {
            Answer(output, jobs, job, payload);
            Interlocked.Decrement(ref open[0]);
        }
    }

    /// <summary>Writes a job as the loop reads it.</summary>
    internal static void Write(Stream stream, string job, ReadOnlySpan<byte> payload)
    {
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(job);
        writer.Write(payload.Length);
        writer.Write(payload);
        writer.Flush();
        stream.Flush();
    }

    private static void Answer(TextWriter output, IReadOnlyDictionary<string, Func<byte[], byte[]>> jobs, string job, byte[] payload)
    {
        byte[] reply;
        try
        {
            reply = jobs[job](payload);
        }
#pragma warning disable CA1031 // Whatever a job throws is its outcome, and the next job is to be served.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Reply(output, FailedMark, Encoding.UTF8.GetBytes($"{e.GetType().Name}: {e.Message.Split('\n')[0].Trim()}"));
            return;
        }

        Reply(output, DoneMark, reply);
    }

    private static void Reply(TextWriter output, string mark, byte[] reply) => output.Write($"\n{mark}{Convert.ToBase64String(reply)}\n");

    private static void Read(BlockingCollection<(string Job, byte[] Payload)> requests, int[] open)
    {
        using var reader = new BinaryReader(Console.OpenStandardInput());
        try
        {
            while (true)
            {
                var job = reader.ReadString();
                var length = reader.ReadInt32();
                var payload = reader.ReadBytes(length);
                if (payload.Length < length)
                    break;
                Interlocked.Increment(ref open[0]);
                requests.Add((job, payload));
            }
        }
        catch (IOException)
        {
            // The end of the input, or of the pipe.
        }

        // Nobody waits for what is being computed, and native code cannot be asked to stop.
        if (Volatile.Read(ref open[0]) > 0)
            Process.GetCurrentProcess().Kill();
        requests.CompleteAdding();
    }
}
