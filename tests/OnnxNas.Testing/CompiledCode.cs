using System.Reflection;
using System.Reflection.Emit;

namespace OnnxNas.Testing;

/// <summary>What compiled methods call, read from their instructions.</summary>
public static class CompiledCode
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<short, OpCode> OpCodes = typeof(OpCodes).GetFields()
        .Select(f => f.GetValue(null)).OfType<OpCode>().ToDictionary(c => c.Value);

    /// <summary>Every method of an assembly that has a body, constructors, accessors and lambdas included.</summary>
    public static IEnumerable<MethodBase> Methods(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        return assembly.GetTypes()
            .SelectMany(t => t.GetMethods(Declared).Cast<MethodBase>().Concat(t.GetConstructors(Declared)))
            .Where(m => m.GetMethodBody() is not null);
    }

    /// <summary>The methods that one calls, or makes a delegate of. Generic ones are given as declared, without their arguments.</summary>
    public static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        ArgumentNullException.ThrowIfNull(method);
        var typeArguments = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        foreach (var token in MethodTokens(method.GetMethodBody()?.GetILAsByteArray() ?? []))
        {
            if (method.Module.ResolveMember(token, typeArguments, methodArguments) is MethodBase { DeclaringType.IsArray: false } called)
                yield return called.Module.ResolveMethod(called.MetadataToken)!;
        }
    }

    /// <summary>The declaring type and the signature.</summary>
    public static string Describe(MethodBase method)
    {
        ArgumentNullException.ThrowIfNull(method);
        return $"{method.DeclaringType}::{method.Name}({string.Join(", ", method.GetParameters().Select(p => p.ParameterType.Name))})";
    }

    // An instruction is one byte, or 0xFE and another, and an operand whose size its kind tells.
    private static IEnumerable<int> MethodTokens(byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            short value = code[at++];
            if (value == 0xFE)
                value = unchecked((short)(0xFE00 | code[at++]));
            var operand = OpCodes[value].OperandType;
            if (operand is OperandType.InlineMethod or OperandType.InlineTok)
                yield return BitConverter.ToInt32(code, at);
            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + 4 * BitConverter.ToInt32(code, at),
                _ => 4,
            };
        }
    }
}
