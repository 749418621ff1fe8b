using System;
using System.Collections.Generic;

namespace UnityEngine
{
    /// <summary>The types of Unity that the package touches, with as much behaviour as its tests look at.</summary>
    public class Object
    {
        public string name { get; set; } = "object";
    }

    public class ScriptableObject : Object
    {
    }

    public class GameObject : Object
    {
        internal readonly List<Component> Components = new List<Component>();

        public T AddComponent<T>()
            where T : Component, new()
        {
            var added = new T { gameObject = this };
            Components.Add(added);
            return added;
        }
    }

    public class Component : Object
    {
        private Transform _transform;

        public GameObject gameObject { get; internal set; } = new GameObject();

        public Transform transform => _transform = _transform ?? this as Transform ?? new Transform();

        public T GetComponent<T>()
        {
            foreach (Component one in gameObject.Components)
            {
                if (one is T found)
                {
                    return found;
                }
            }
            return default;
        }

        public T GetComponentInParent<T>()
        {
            return GetComponent<T>();
        }

        public T[] GetComponentsInChildren<T>()
        {
            var found = new List<T>();
            foreach (Component one in gameObject.Components)
            {
                if (one is T wanted)
                {
                    found.Add(wanted);
                }
            }
            return found.ToArray();
        }
    }

    public class MonoBehaviour : Component
    {
    }

    public class Transform : Component
    {
        public Quaternion localRotation { get; set; } = Quaternion.identity;
    }

    public struct Quaternion
    {
        public float x;
        public float y;
        public float z;
        public float w;

        public Quaternion(float x, float y, float z, float w)
        {
            this.x = x;
            this.y = y;
            this.z = z;
            this.w = w;
        }

        public static Quaternion identity => new Quaternion(0, 0, 0, 1);

        public static Quaternion Normalize(Quaternion q)
        {
            float scale = 1 / MathF.Sqrt((q.x * q.x) + (q.y * q.y) + (q.z * q.z) + (q.w * q.w));
            return new Quaternion(q.x * scale, q.y * scale, q.z * scale, q.w * scale);
        }

        public static Quaternion operator *(Quaternion a, Quaternion b)
        {
            return new Quaternion(
                (a.w * b.x) + (a.x * b.w) + (a.y * b.z) - (a.z * b.y),
                (a.w * b.y) + (a.y * b.w) + (a.z * b.x) - (a.x * b.z),
                (a.w * b.z) + (a.z * b.w) + (a.x * b.y) - (a.y * b.x),
                (a.w * b.w) - (a.x * b.x) - (a.y * b.y) - (a.z * b.z));
        }
    }

    public class Mesh
    {
        public string[] Shapes = { };

        public int blendShapeCount => Shapes.Length;

        public string GetBlendShapeName(int index)
        {
            return Shapes[index];
        }

        public int GetBlendShapeFrameCount(int index)
        {
            return 1;
        }

        public float GetBlendShapeFrameWeight(int index, int frame)
        {
            return 100;
        }
    }

    public class SkinnedMeshRenderer : Component
    {
        public readonly Dictionary<int, float> Weights = new Dictionary<int, float>();

        public Mesh sharedMesh { get; set; }

        public void SetBlendShapeWeight(int index, float value)
        {
            Weights[index] = value;
        }
    }

    public static class Mathf
    {
        public static float Clamp01(float value)
        {
            return Math.Min(1, Math.Max(0, value));
        }

        public static float Exp(float value)
        {
            return MathF.Exp(value);
        }

        public static float Max(float one, float other)
        {
            return Math.Max(one, other);
        }

        public static float Abs(float value)
        {
            return Math.Abs(value);
        }
    }

    public static class Time
    {
        public static float deltaTime { get; set; } = 1 / 60f;
    }

    public static class Input
    {
        public static bool anyKeyDown => false;
    }

    public static class Debug
    {
        public static readonly List<string> Told = new List<string>();

        public static void LogError(object message, Object context = null)
        {
            Told.Add("error: " + message);
        }

        public static void LogWarning(object message, Object context = null)
        {
            Told.Add("warning: " + message);
        }
    }
}
