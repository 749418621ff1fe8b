using System;
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
        public static void Space()
        {
        }

        public static void LabelField(string label, string text)
        {
        }

        public static void HelpBox(string text, MessageType kind)
        {
        }

        public static Object ObjectField(string label, Object value, Type type, bool allowSceneObjects)
        {
            return value;
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
        public static bool Button(string text)
        {
            return false;
        }
    }
}
