using System;
using System.Collections.Generic;

namespace UnityEngine
{
    public struct Keyframe
    {
        public float time;
        public float value;

        public Keyframe(float time, float value)
        {
            this.time = time;
            this.value = value;
        }
    }

    public class AnimationCurve
    {
        public readonly List<Keyframe> Keys = new List<Keyframe>();

        public int length => Keys.Count;

        public int AddKey(Keyframe key)
        {
            Keys.Add(key);
            return Keys.Count - 1;
        }
    }

    public class AnimationClip : Object
    {
        public readonly Dictionary<string, AnimationCurve> Curves = new Dictionary<string, AnimationCurve>();

        public float frameRate { get; set; }

        public float length
        {
            get
            {
                float longest = 0;
                foreach (AnimationCurve curve in Curves.Values)
                {
                    longest = Math.Max(longest, curve.Keys[curve.Keys.Count - 1].time);
                }
                return longest;
            }
        }

        public void SetCurve(string relativePath, Type type, string propertyName, AnimationCurve curve)
        {
            Curves[propertyName] = curve;
        }
    }
}
