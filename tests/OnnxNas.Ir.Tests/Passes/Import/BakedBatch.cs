using OnnxNas.Evaluation;
using OnnxNas.Ir.Passes.Import;
using OnnxNas.Ir.Serialization;

namespace OnnxNas.Ir.Tests.Passes.Import;

/// <summary>Checks of models whose batch is baked in, with ONNX Runtime on both sides.</summary>
internal static class BakedBatch
{
    public static MakeBatchDynamic Pass => new(PassHarness.Rules, new RuntimeEvaluator());

    /// <summary>
    /// The batch becomes dynamic. The rewritten model gives what the old one gives on the old number of samples, and on 1, 3 and 5 samples gives each the rows that
    /// the old one gives it beside other samples, wherever it stands among them. A second run changes nothing.
    /// </summary>
    /// <returns>What the pass said.</returns>
    public static IReadOnlyList<Finding> BecomesDynamic(Model model, double tolerance = 1e-5, int integersBelow = 2)
    {
        var baked = OnnxFile.ToBytes(model);
        var pass = Pass;
        Assert.IsGreaterThan(0, pass.Apply(model), string.Join(" ", pass.Findings.Select(f => $"{f.Subjects[0]}: {f.Message}")));
        var findings = pass.Findings.ToList();
        Assert.IsTrue(findings.All(f => f.Kind == FindingKind.Changed));
        var after = OnnxFile.ToBytes(model);
        Assert.AreEqual(0, pass.Apply(model), "The second run reports a change.");
        Assert.IsEmpty(pass.Findings);
        CollectionAssert.AreEqual(after, OnnxFile.ToBytes(model), "The second run changes the file.");

        var options = new OnnxSessionOptions { GraphOptimization = false };
        using var old = new OnnxSession(baked, options);
        using var changed = new OnnxSession(after, options);
        var samples = (int)old.Inputs[0].Shape![0].Value;
        foreach (var input in changed.Inputs)
            Assert.IsFalse(input.Shape![0].IsKnown, $"Input '{input.Name}' has {input.Shape}.");
        var feeds = RandomInputs.For(old, 5, integersBelow: integersBelow);
        foreach (var ((a, b), output) in old.Run(feeds).Zip(changed.Run(feeds)).Zip(old.Outputs))
            AssertEqual(a, b, tolerance, $"'{output.Name}' on {samples} samples");
        foreach (var count in new[] { 1, 3, 5 })
            CheckRows(old, changed, samples, count, tolerance, integersBelow);
        return findings;
    }

    /// <summary>The pass refuses, names the node and leaves the file alone.</summary>
    public static void IsRefused(Model model, string subject, string reason)
    {
        var before = OnnxFile.ToBytes(model);
        var pass = Pass;
        Assert.AreEqual(0, pass.Apply(model));
        var finding = pass.Findings.Single();
        Assert.AreEqual(FindingKind.Refused, finding.Kind);
        Assert.AreEqual(subject, finding.Subjects.Single(), finding.Message);
        Assert.Contains(reason, finding.Message);
        CollectionAssert.AreEqual(before, OnnxFile.ToBytes(model));
    }

    private static void CheckRows(OnnxSession old, OnnxSession changed, int samples, int count, double tolerance, int integersBelow)
    {
        var feeds = RandomInputs.For(changed, 17, count, integersBelow: integersBelow);
        var results = changed.Run(feeds);
        for (var sample = 0; sample < count; sample++)
        {
            var place = sample % samples;
            var others = RandomInputs.For(old, 100 + sample, integersBelow: integersBelow);
            var single = others.ToDictionary(o => o.Key, o => WithRow(o.Value, place, feeds[o.Key], sample));
            foreach (var (expected, i) in old.Run(single).Select((t, i) => (t, i)))
            {
                var what = $"'{changed.Outputs[i].Name}', sample {sample} of {count}";
                var axis = changed.Outputs[i].Shape!.ToList().FindIndex(d => !d.IsKnown);
                if (axis < 0)
                {
                    AssertEqual(expected, results[i], tolerance, what);
                    continue;
                }

                // Where other axes are merged with the batch, they may lie within a sample or around the batch.
                Assert.AreEqual(expected.Dims[axis] * count, results[i].Dims[axis] * samples, what);
                var within = Math.Max(1, (int)expected.Dims[axis] / samples);
                var (want, got) = (Rows(expected, axis, place, samples, 1), Rows(results[i], axis, sample, count, 1));
                if (within == 1 || !AreEqual(want, got, tolerance))
                    AssertEqual(Rows(expected, axis, place, samples, within), Rows(results[i], axis, sample, count, within), tolerance, what);
            }
        }
    }

    private static void AssertEqual(TensorData expected, TensorData actual, double tolerance, string what)
    {
        Assert.AreEqual(expected.ToString(), actual.ToString(), what);
        Assert.IsTrue(AreEqual(expected, actual, tolerance), $"{what}: {expected} differs.");
    }

    private static bool AreEqual(TensorData expected, TensorData actual, double tolerance) =>
        expected.Bytes.Span.SequenceEqual(actual.Bytes.Span)
        || expected.ToDoubles().Zip(actual.ToDoubles()).All(p => p.First.Equals(p.Second) || Math.Abs(p.First - p.Second) <= tolerance * (1 + Math.Abs(p.First)));

    private static TensorData WithRow(TensorData target, int place, TensorData source, int row)
    {
        var size = target.Bytes.Length / (int)target.Dims[0];
        var bytes = target.Bytes.ToArray();
        source.Bytes.Slice(row * size, size).CopyTo(bytes.AsMemory(place * size));
        return TensorData.FromBytes(target.Type, target.Dims, bytes);
    }

    // The places of one sample on an axis whose index is (outer, sample, within).
    private static TensorData Rows(TensorData data, int axis, int sample, int samples, int within)
    {
        var inner = (int)data.Dims.Skip(axis + 1).Aggregate((long)data.Type.BitWidth() / 8, (a, b) => a * b) * within;
        var outer = (int)(data.Dims.Take(axis + 1).Aggregate(1L, (a, b) => a * b) / samples / within);
        var bytes = Enumerable.Range(0, outer).SelectMany(o => data.Bytes.Slice((o * samples + sample) * inner, inner).ToArray()).ToArray();
        return TensorData.FromBytes(data.Type, [.. data.Dims.Select((d, a) => a == axis ? d / samples : d)], bytes);
    }
}
