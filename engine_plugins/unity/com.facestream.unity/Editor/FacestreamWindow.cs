using UnityEditor;
using UnityEngine;

namespace Facestream.Editor
{
    /// <summary>Window > facestream: says whether a connection works, and bakes audio clips to animation clips.</summary>
    public sealed class FacestreamWindow : EditorWindow
    {
        private FacestreamConnection _connection;
        private AudioClip _audio;
        private SkinnedMeshRenderer _renderer;
        private Transform _root;
        private string _answer = "";
        private MessageType _kind = MessageType.None;

        [MenuItem("Window/facestream")]
        private static void Open()
        {
            GetWindow<FacestreamWindow>("facestream");
        }

        private void OnGUI()
        {
            _connection = Field("Connection", _connection);
            using (new EditorGUI.DisabledScope(_connection == null))
            {
                if (GUILayout.Button("Try it"))
                {
                    Do(TryConnection);
                }
            }
            EditorGUILayout.Space();
            _audio = Field("Audio", _audio);
            _renderer = Field("Face", _renderer);
            _root = Field("Animated from", _root);
            using (new EditorGUI.DisabledScope(_connection == null || _audio == null || _renderer == null))
            {
                if (GUILayout.Button("Bake to animation clip"))
                {
                    Do(Bake);
                }
            }
            if (_answer.Length > 0)
            {
                EditorGUILayout.HelpBox(_answer, _kind);
            }
        }

        private string TryConnection()
        {
            StreamOptions options = _connection.Options(16000);
            StreamInfo info = null;
            using (ITransport transport = _connection.CreateTransport())
            {
                // a tenth of a second of silence; three frames of it come back
                Recording.Animate(transport, new float[1600], options, share => true, started => info = started);
            }
            return $"{_connection.Server} answers: model {info.Model} {info.ModelVersion}, {info.CurveNames.Length} curves, "
                + $"look-ahead {1000 * info.LatencySamples / 16000} ms";
        }

        private string Bake()
        {
            string path = EditorUtility.SaveFilePanelInProject("Save animation", _audio.name, "anim", "Where to?");
            if (string.IsNullOrEmpty(path))
            {
                return "";
            }
            AnimationClip clip = ClipBaker.Bake(_connection, _audio, _renderer, _root, ShowProgress);
            AssetDatabase.CreateAsset(clip, path);
            AssetDatabase.SaveAssets();
            return $"{path}: {clip.length:F1} s";
        }

        private bool ShowProgress(float share)
        {
            return !EditorUtility.DisplayCancelableProgressBar("facestream", _audio.name, share);
        }

        private void Do(System.Func<string> what)
        {
            try
            {
                _answer = what();
                _kind = MessageType.Info;
            }
            catch (FacestreamException failure)
            {
                _answer = failure.Message;
                _kind = MessageType.Error;
                Debug.LogError("facestream: " + failure.Message);
            }
            catch (System.OperationCanceledException)
            {
                _answer = "";
            }
            finally
            {
                EditorUtility.ClearProgressBar();
            }
        }

        private static T Field<T>(string label, T value)
            where T : Object
        {
            return (T)EditorGUILayout.ObjectField(label, value, typeof(T), true);
        }
    }
}
