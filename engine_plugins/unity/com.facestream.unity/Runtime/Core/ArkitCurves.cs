using System;
using System.Collections.Generic;

namespace Facestream
{
    /// <summary>Apple's 52 blendshapes in Apple's order: the columns of every face in this package.</summary>
    public static class ArkitCurves
    {
        /// <summary>How many there are.</summary>
        public const int Count = 52;

        private static readonly string[] Ordered =
        {
            "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
            "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
            "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen", "mouthClose",
            "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight",
            "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft",
            "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
            "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
            "mouthUpperUpRight", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
            "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
        };

        private static readonly Dictionary<string, int> Indices = Indexed();

        /// <summary>The names, in order.</summary>
        public static IReadOnlyList<string> Names => Ordered;

        /// <summary>Column of a name; -1 for one that is none of the 52.</summary>
        public static int IndexOf(string name)
        {
            return Indices.TryGetValue(name, out int index) ? index : -1;
        }

        private static Dictionary<string, int> Indexed()
        {
            var indices = new Dictionary<string, int>(Count, StringComparer.Ordinal);
            for (int i = 0; i < Ordered.Length; i++)
            {
                indices.Add(Ordered[i], i);
            }
            return indices;
        }
    }
}
