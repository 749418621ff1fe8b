using System;
using System.Collections.Generic;

namespace Facestream
{
    /// <summary>
    /// Everything a mesh may have shapes for, out of one face: the 52 of ARKit, the 15 visemes, the five vowels and the
    /// blinks of VRM.
    /// </summary>
    public sealed class ExpressionSet
    {
        /// <summary>Where the visemes begin.</summary>
        public const int FirstViseme = ArkitCurves.Count;

        /// <summary>Where the vowels begin: aa, ih, ou, ee, oh.</summary>
        public const int FirstVowel = FirstViseme + VisemeSolver.Count;

        /// <summary>Both lids, the left one, the right one.</summary>
        public const int FirstBlink = FirstVowel + 5;

        /// <summary>How many values there are.</summary>
        public const int Count = FirstBlink + 3;

        private static readonly int BlinkLeft = ArkitCurves.IndexOf("eyeBlinkLeft");
        private static readonly int BlinkRight = ArkitCurves.IndexOf("eyeBlinkRight");

        private readonly VisemeSolver _solver = new VisemeSolver();

        /// <summary>The values, each 0 to 1.</summary>
        public readonly float[] Values = new float[Count];

        /// <summary>Names of the values, in order.</summary>
        public static IReadOnlyList<string> Names { get; } = AllNames();

        /// <summary>Fill in all values from one face.</summary>
        public void Update(Face face)
        {
            Array.Copy(face.Weights, Values, ArkitCurves.Count);
            _solver.Solve(face.Weights, new Span<float>(Values, FirstViseme, VisemeSolver.Count));
            Values[FirstVowel] = Viseme(10);
            Values[FirstVowel + 1] = Math.Min(1, Viseme(12) + (0.5f * Viseme(7)));
            Values[FirstVowel + 2] = Math.Min(1, Viseme(14) + (0.5f * Viseme(9)) + (0.5f * Viseme(6)));
            Values[FirstVowel + 3] = Math.Min(1, Viseme(11) + (0.5f * Viseme(5)));
            Values[FirstVowel + 4] = Viseme(13);
            Values[FirstBlink] = Math.Min(face.Weights[BlinkLeft], face.Weights[BlinkRight]);
            Values[FirstBlink + 1] = face.Weights[BlinkLeft];
            Values[FirstBlink + 2] = face.Weights[BlinkRight];
        }

        private float Viseme(int index)
        {
            return Values[FirstViseme + index];
        }

        private static IReadOnlyList<string> AllNames()
        {
            var names = new List<string>(ArkitCurves.Names);
            foreach (string viseme in VisemeSolver.Names)
            {
                names.Add("viseme_" + viseme);
            }
            names.AddRange(new[] { "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight" });
            return names;
        }
    }
}
