using System;
using System.Collections.Generic;
using System.Text;

namespace Facestream
{
    /// <summary>
    /// Which shape of a mesh shows which of <see cref="ExpressionSet"/>'s values, whatever exporters made of the names:
    /// any case, any prefix, a suffix that all shapes share, and any spelling of a side (_L, .L, Left).
    /// </summary>
    public sealed class ShapeMatcher
    {
        // what VRoid and VRChat call them
        private static readonly string[,] OtherNames =
        {
            { "fclmtha", "aa" }, { "fclmthi", "ih" }, { "fclmthu", "ou" }, { "fclmthe", "ee" }, { "fclmtho", "oh" },
            { "fcleyeclose", "blink" }, { "fcleyeclosel", "blinkLeft" }, { "fcleyecloser", "blinkRight" },
            { "visemei", "viseme_ih" }, { "visemeo", "viseme_oh" }, { "visemeu", "viseme_ou" },
        };

        // too short to be found within a name: VRM's names of vowels
        private static readonly string[,] WholeNames =
        {
            { "a", "aa" }, { "i", "ih" }, { "u", "ou" }, { "e", "ee" }, { "o", "oh" },
            { "aa", "aa" }, { "ih", "ih" }, { "ou", "ou" }, { "ee", "ee" }, { "oh", "oh" },
        };

        private static readonly Dictionary<string, int> Values = KnownKeys();

        private static readonly Dictionary<string, int> WholeValues = Keys(WholeNames);

        private ShapeMatcher(int[] shapes, int matchedArkit)
        {
            Shapes = shapes;
            MatchedArkit = matchedArkit;
        }

        /// <summary>Index of the mesh's shape for each value of <see cref="ExpressionSet"/>; -1 where it has none.</summary>
        public IReadOnlyList<int> Shapes { get; }

        /// <summary>How many of the 52 the mesh has.</summary>
        public int MatchedArkit { get; }

        /// <summary>
        /// Match the shapes of one mesh by their names. <paramref name="own"/> has the last word: name of a value to name of
        /// a shape, an empty one for none.
        /// </summary>
        public static ShapeMatcher Match(IReadOnlyList<string> shapeNames, IReadOnlyDictionary<string, string> own = null)
        {
            var shapes = new int[ExpressionSet.Count];
            for (int i = 0; i < shapes.Length; i++)
            {
                shapes[i] = -1;
            }
            MatchKeys(shapeNames, shapes, 0, 0);
            if (CountMatched(shapes, ExpressionSet.Count) == 0)
            {
                int prefix = SharedPrefix(shapeNames, false);
                MatchKeys(shapeNames, shapes, prefix, SharedPrefix(shapeNames, true));
            }
            if (own != null)
            {
                MatchOwn(shapeNames, shapes, own);
            }
            return new ShapeMatcher(shapes, CountMatched(shapes, ArkitCurves.Count));
        }

        /// <summary>Values of a range that the mesh has no shape for, by name; for one report, not for every frame.</summary>
        public string Missing(int first, int count)
        {
            var names = new List<string>();
            for (int i = first; i < first + count; i++)
            {
                if (Shapes[i] < 0)
                {
                    names.Add(ExpressionSet.Names[i]);
                }
            }
            return string.Join(", ", names);
        }

        /// <summary>How many of a range of values the mesh has shapes for.</summary>
        public int CountIn(int first, int count)
        {
            int matched = 0;
            for (int i = first; i < first + count; i++)
            {
                matched += Shapes[i] >= 0 ? 1 : 0;
            }
            return matched;
        }

        private static void MatchKeys(IReadOnlyList<string> names, int[] shapes, int prefix, int suffix)
        {
            for (int i = 0; i < names.Count; i++)
            {
                string name = names[i].Substring(prefix, names[i].Length - prefix - suffix);
                int value = ValueOf(name);
                if (value >= 0 && shapes[value] < 0)
                {
                    shapes[value] = i;
                }
            }
        }

        private static void MatchOwn(IReadOnlyList<string> names, int[] shapes, IReadOnlyDictionary<string, string> own)
        {
            foreach (KeyValuePair<string, string> pair in own)
            {
                int value = IndexIn(ExpressionSet.Names, pair.Key);
                int shape = IndexIn(names, pair.Value);
                if (value < 0 || (shape < 0 && pair.Value.Length > 0))
                {
                    string received = $"{pair.Key} -> {pair.Value}";
                    throw FacestreamException.Invalid("own", received, "a name of ours and the name of a shape of this mesh");
                }
                shapes[value] = shape;
            }
        }

        private static int IndexIn(IReadOnlyList<string> names, string wanted)
        {
            for (int i = 0; i < names.Count; i++)
            {
                if (names[i] == wanted)
                {
                    return i;
                }
            }
            return -1;
        }

        private static int CountMatched(int[] shapes, int count)
        {
            int matched = 0;
            for (int i = 0; i < count; i++)
            {
                matched += shapes[i] >= 0 ? 1 : 0;
            }
            return matched;
        }

        /// <summary>The value of a name, whatever exporters put before it: the longest part of it that is known.</summary>
        private static int ValueOf(string name)
        {
            if (WholeValues.TryGetValue(KeyOf(name, 0), out int whole))
            {
                return whole;
            }
            for (int start = 0; start < name.Length; start++)
            {
                bool begins = char.IsLetterOrDigit(name[start]) && (start == 0 || !char.IsLetterOrDigit(name[start - 1]));
                if (begins && Values.TryGetValue(KeyOf(name, start), out int value))
                {
                    return value;
                }
            }
            return -1;
        }

        /// <summary>Letters and digits from a place on, in lower case.</summary>
        private static string KeyOf(string name, int start)
        {
            var key = new StringBuilder();
            for (int i = start; i < name.Length; i++)
            {
                if (char.IsLetterOrDigit(name[i]))
                {
                    key.Append(char.ToLowerInvariant(name[i]));
                }
            }
            return key.ToString();
        }

        /// <summary>How many characters all names begin with, or end with.</summary>
        private static int SharedPrefix(IReadOnlyList<string> names, bool atEnd)
        {
            if (names.Count < 2)
            {
                return 0;
            }
            int shared = 0;
            while (true)
            {
                foreach (string name in names)
                {
                    // one character at least is left of every name
                    if (shared + 1 >= name.Length || At(name, shared, atEnd) != At(names[0], shared, atEnd))
                    {
                        return shared;
                    }
                }
                shared++;
            }
        }

        private static char At(string name, int index, bool atEnd)
        {
            return atEnd ? name[name.Length - 1 - index] : name[index];
        }

        private static Dictionary<string, int> KnownKeys()
        {
            Dictionary<string, int> keys = Keys(OtherNames);
            for (int i = 0; i < ExpressionSet.Count; i++)
            {
                string name = ExpressionSet.Names[i];
                if (i >= ExpressionSet.FirstVowel && i < ExpressionSet.FirstBlink)
                {
                    continue;
                }
                string key = KeyOf(name, 0);
                keys[key] = i;
                if (name.EndsWith("Left", StringComparison.Ordinal))
                {
                    keys[key.Substring(0, key.Length - 3)] = i;
                }
                else if (name.EndsWith("Right", StringComparison.Ordinal))
                {
                    keys[key.Substring(0, key.Length - 4)] = i;
                }
                else if (key.StartsWith("viseme", StringComparison.Ordinal))
                {
                    keys["vrcv" + key.Substring(6)] = i;
                }
            }
            return keys;
        }

        private static Dictionary<string, int> Keys(string[,] table)
        {
            var keys = new Dictionary<string, int>(StringComparer.Ordinal);
            for (int i = 0; i < table.GetLength(0); i++)
            {
                keys[table[i, 0]] = IndexIn(ExpressionSet.Names, table[i, 1]);
            }
            return keys;
        }
    }
}
