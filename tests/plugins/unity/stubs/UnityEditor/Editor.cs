using System;
using System.Collections.Generic;
using UnityEngine;
using Object = UnityEngine.Object;

namespace UnityEditor
{
    public enum MessageType
    {
        None,
        Info,
        Warning,
        Error,
    }

    public sealed class CustomEditor : Attribute
    {
        public CustomEditor(Type inspected)
        {
        }
    }

    public sealed class MenuItem : Attribute
    {
        public MenuItem(string path)
        {
        }
    }

    public class Editor : ScriptableObject
    {
        public Object target { get; set; }

        public virtual void OnInspectorGUI()
        {
        }

        protected bool DrawDefaultInspector()
        {
            return true;
        }
    }

    public class EditorWindow : ScriptableObject
    {
        public static T GetWindow<T>(string title)
            where T : EditorWindow, new()
        {
            return new T();
        }
    }

    public static class EditorGUILayout
    {
        /// <summary>What stands in the fields of objects, by their labels.</summary>
        public static Dictionary<string, Object> Fields { get; } = new Dictionary<string, Object>();

        /// <summary>What labels and boxes have said.</summary>
        public static List<string> Told { get; } = new List<string>();

        public static void Space()
        {
        }

        public static void LabelField(string label, string text)
        {
            Told.Add(text);
        }

        public static void HelpBox(string text, MessageType kind)
        {
            Told.Add($"{kind}: {text}");
        }

        public static Object ObjectField(string label, Object value, Type type, bool allowSceneObjects)
        {
            return Fields.TryGetValue(label, out Object given) ? given : value;
        }
    }

    public static class EditorGUI
    {
        public sealed class DisabledScope : IDisposable
        {
            public DisabledScope(bool disabled)
            {
            }

            public void Dispose()
            {
            }
        }
    }

    public static class EditorUtility
    {
        public static string SaveFilePanelInProject(string title, string name, string extension, string message)
        {
            return "";
        }

        public static bool DisplayCancelableProgressBar(string title, string info, float progress)
        {
            return false;
        }

        public static void ClearProgressBar()
        {
        }
    }

    public static class AssetDatabase
    {
        public static void CreateAsset(Object asset, string path)
        {
        }

        public static void SaveAssets()
        {
        }
    }

    public static class AnimationUtility
    {
        public enum TangentMode
        {
            Linear = 2,
        }

        public static string CalculateTransformPath(Transform target, Transform root)
        {
            return "Face";
        }

        public static void SetKeyLeftTangentMode(AnimationCurve curve, int index, TangentMode mode)
        {
        }

        public static void SetKeyRightTangentMode(AnimationCurve curve, int index, TangentMode mode)
        {
        }
    }
}

namespace UnityEngine
{
    public static class GUILayout
    {
        /// <summary>The button that is pressed.</summary>
        public static string Pressed { get; set; }

        public static bool Button(string text)
        {
            return text == Pressed;
        }
    }
}
