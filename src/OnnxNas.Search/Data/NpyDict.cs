using System.Globalization;
using OnnxNas.Ir;

namespace OnnxNas.Search.Data;

/// <summary>
/// The dict literal of an .npy header. Nothing is evaluated: the grammar is three keys, once each, with a quoted string,
/// <c>True</c> or <c>False</c>, and a tuple of non-negative whole numbers.
/// </summary>
internal sealed record NpyDict(string Descr, bool FortranOrder, IReadOnlyList<long> Shape)
{
    /// <summary>Reads the literal; blanks and one line feed may follow.</summary>
    /// <exception cref="DataException">The text is anything else.</exception>
    public static NpyDict Parse(ReadOnlySpan<byte> text, string description) => new Reader(text, description).Dict();

    private ref struct Reader(ReadOnlySpan<byte> text, string description)
    {
        private readonly ReadOnlySpan<byte> text = text;
        private readonly string description = description;
        private int at;

        public NpyDict Dict()
        {
            string? descr = null;
            bool? fortran = null;
            List<long>? shape = null;
            Expect('{');
            while (!Take('}'))
            {
                var key = String();
                Expect(':');
                if (key == "descr" && descr is null)
                    descr = Descr();
                else if (key == "fortran_order" && fortran is null)
                    fortran = Bool();
                else if (key == "shape" && shape is null)
                    shape = Tuple();
                else
                    throw Damaged();
                if (!Take(','))
                {
                    Expect('}');
                    break;
                }
            }

            SkipBlanks();
            return at == text.Length && descr is not null && fortran is not null && shape is not null
                ? new(descr, fortran.Value, shape)
                : throw Damaged();
        }

        private string Descr()
        {
            SkipBlanks();
            if (at < text.Length && text[at] == '[')
                throw new DataException($"The {description} is a record array; save each field as an array of its own.");
            var descr = String();
            return descr.Contains('O', StringComparison.Ordinal)
                ? throw new DataException($"The {description} holds pickled Python objects, which are never loaded; save it as a numeric array.")
                : descr;
        }

        private string String()
        {
            SkipBlanks();
            if (at == text.Length || text[at] is not ((byte)'\'' or (byte)'"'))
                throw Damaged();
            var start = at + 1;
            var length = text[start..].IndexOf(text[at]);
            if (length < 0)
                throw Damaged();
            at = start + length + 1;
            var value = text.Slice(start, length);
            // No key and no type name needs an escape, so none is understood.
            return value.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0 && !value.Contains((byte)'\\')
                ? System.Text.Encoding.ASCII.GetString(value)
                : throw Damaged();
        }

        private bool Bool()
        {
            SkipBlanks();
            foreach (var (word, value) in new[] { ("True", true), ("False", false) })
            {
                if (text[at..].StartsWith(System.Text.Encoding.ASCII.GetBytes(word)))
                {
                    at += word.Length;
                    return value;
                }
            }

            throw Damaged();
        }

        private List<long> Tuple()
        {
            var dims = new List<long>();
            Expect('(');
            while (!Take(')'))
            {
                dims.Add(Number());
                if (!Take(','))
                {
                    Expect(')');
                    break;
                }
            }

            return dims;
        }

        private long Number()
        {
            SkipBlanks();
            var start = at;
            while (at < text.Length && char.IsAsciiDigit((char)text[at]))
                at++;
            if (!long.TryParse(text[start..at], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw Damaged();
            // Python 2 wrote long integers with an L.
            if (at < text.Length && text[at] == 'L')
                at++;
            return number;
        }

        private bool Take(char c)
        {
            SkipBlanks();
            if (at == text.Length || text[at] != c)
                return false;
            at++;
            return true;
        }

        private void Expect(char c)
        {
            if (!Take(c))
                throw Damaged();
        }

        private void SkipBlanks()
        {
            while (at < text.Length && text[at] is (byte)' ' or (byte)'\n')
                at++;
        }

        private readonly DataException Damaged() =>
            new($"The {description} is damaged: its header is not a dict of descr, fortran_order and shape (at character {at}). Write the file again.");
    }
}
