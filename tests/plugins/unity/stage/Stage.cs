using System;
using System.Collections.Generic;
using System.Net.Http;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;
using Facestream.Editor;
using UnityEditor;
using UnityEngine;

namespace Facestream.Stage
{
    /// <summary>
    /// The components on a stage of stubs: Unity's messages come 60 times a second, its audio thread asks for 1024 frames at
    /// a time, and a mesh keeps the weights it was given. <c>WHAT SERVER SPEECH.pcm [TOKEN]</c>
    /// </summary>
    public static class Program
    {
        private const int BufferFrames = 1024;
        private const int Rate = 48000;

        public static int Main(string[] arguments)
        {
            FacestreamConnection.Http2Handler = () => new PriorKnowledge(new SocketsHttpHandler());
            string token = arguments.Length > 3 ? arguments[3] : "";
            var connection = new FacestreamConnection { Server = arguments[1], Token = token };
            AudioClip clip = ClipOf(arguments[2]);
            if (arguments[0] == "bake")
            {
                Bake(connection, clip);
                return 0;
            }
            if (arguments[0] == "editor")
            {
                Edit(connection);
                return 0;
            }
            if (arguments[0] == "nomicrophone")
            {
                Microphone.devices = new string[0];
            }
            var hero = new GameObject();
            hero.AddComponent<AudioSource>();
            FacestreamSource source = arguments[0] == "capture" ? hero.AddComponent<FacestreamCapture>()
                : arguments[0].EndsWith("microphone") ? (FacestreamSource)hero.AddComponent<FacestreamMicrophone>()
                : hero.AddComponent<FacestreamSpeech>();
            source.Connection = connection;
            if (arguments[0] == "act")
            {
                source.Control(new MotionControls { Emotion = "happy" });
            }
            var mesh = hero.AddComponent<SkinnedMeshRenderer>();
            mesh.sharedMesh = new Mesh { Shapes = new[] { "Basis", "Head_JawOpen", "Head_EyeBlink_L" } };
            var face = hero.AddComponent<FacestreamFace>();
            Send(source, "OnEnable");
            Send(face, "Awake");
            new Play(source, face, mesh, clip).Run(arguments[0]);
            return 0;
        }

        private static void Bake(FacestreamConnection connection, AudioClip clip)
        {
            var mesh = new GameObject().AddComponent<SkinnedMeshRenderer>();
            mesh.sharedMesh = new Mesh { Shapes = new[] { "jawOpen" } };
            AnimationClip baked = ClipBaker.Bake(connection, clip, mesh, mesh.transform, share => true);
            var lines = new List<string>();
            foreach (Keyframe key in baked.Curves["blendShape.jawOpen"].Keys)
            {
                lines.Add(FormattableString.Invariant($"[{key.time}, {key.value}]"));
            }
            Console.WriteLine("{\"keys\": [" + string.Join(", ", lines) + "]}");
        }

        /// <summary>Presses the window's button, and looks at the inspector of a face.</summary>
        private static void Edit(FacestreamConnection connection)
        {
            EditorGUILayout.Fields["Connection"] = connection;
            GUILayout.Pressed = "Try it";
            Send(EditorWindow.GetWindow<FacestreamWindow>("facestream"), "OnGUI");
            var hero = new GameObject();
            var mesh = hero.AddComponent<SkinnedMeshRenderer>();
            mesh.sharedMesh = new Mesh { Shapes = new[] { "Basis", "Head_JawOpen", "Head_EyeBlink_L" } };
            new FacestreamFaceInspector { target = hero.AddComponent<FacestreamFace>() }.OnInspectorGUI();
            Console.WriteLine("{\"told\": [" + string.Join(", ", EditorGUILayout.Told.ConvertAll(Quoted)) + "], \"console\": ["
                + string.Join(", ", Debug.Told.ConvertAll(Quoted)) + "]}");
        }

        private static string Quoted(string text)
        {
            return "\"" + text.Replace("\"", "'") + "\"";
        }

        private static AudioClip ClipOf(string path)
        {
            byte[] bytes = System.IO.File.ReadAllBytes(path);
            var samples = new float[bytes.Length / 2];
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = BitConverter.ToInt16(bytes, 2 * i) / 32768f;
            }
            AudioClip clip = AudioClip.Create("speech", samples.Length, 1, 16000, false);
            clip.SetData(samples, 0);
            return clip;
        }

        /// <summary>What Unity does for a message: call the method, private or not, if there is one.</summary>
        private static void Send(object component, string message)
        {
            Message(component, message)?.Invoke(component, null);
        }

        private static MethodInfo Message(object component, string message)
        {
            const BindingFlags Any = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;
            return component.GetType().GetMethod(message, Any);
        }

        private sealed class Play
        {
            private const int PatienceMilliseconds = 30000;

            private readonly FacestreamSource _source;
            private readonly SkinnedMeshRenderer _mesh;
            private readonly AudioClip _clip;
            private readonly Action _update;
            private readonly Action _lateUpdate;
            private readonly Action<float[], int> _filter;
            private readonly float[] _buffer = new float[2 * BufferFrames];
            private readonly float[] _resampled;
            private readonly List<string> _shown = new List<string>();
            private readonly List<string> _heard = new List<string>();
            private long _played;
            private double _loudest;
            private double _now;

            internal Play(FacestreamSource source, FacestreamFace face, SkinnedMeshRenderer mesh, AudioClip clip)
            {
                _source = source;
                _mesh = mesh;
                _clip = clip;
                _resampled = Resampling.ToMono(clip.Interleaved, 1, 16000, Rate);
                _update = (Action)Message(source, "Update").CreateDelegate(typeof(Action), source);
                _lateUpdate = (Action)Message(face, "LateUpdate").CreateDelegate(typeof(Action), face);
                MethodInfo filter = Message(source, "OnAudioFilterRead");
                _filter = (Action<float[], int>)filter?.CreateDelegate(typeof(Action<float[], int>), source);
            }

            internal void Run(string what)
            {
                double length = _clip.samples / 16000.0;
                // time passes as fast as the server answers, however slow this machine is
                HostClock.Source = () => _now;
                (_source as FacestreamSpeech)?.Speak(_clip);
                double now = 0;
                long before = 0;
                int frames = 0;
                long bytes = 0;
                while (now < length + 2.5)
                {
                    now += 1 / 60.0;
                    _now = now;
                    before = GC.GetAllocatedBytesForCurrentThread();
                    HandAudio(what, now);
                    _update();
                    _lateUpdate();
                    long spent = GC.GetAllocatedBytesForCurrentThread() - before;
                    bool isSteady = now > 1.5 && now < length - 0.5;
                    bytes += isSteady ? spent : 0;
                    frames += isSteady ? 1 : 0;
                    _mesh.Weights.TryGetValue(1, out float jaw);
                    _shown.Add(FormattableString.Invariant($"[{now:F4}, {jaw:F4}]"));
                    if (what == "hush" && frames == 1)
                    {
                        _source.Control(new MotionControls { MouthStrength = 0 });
                    }
                    if (what != "unanswered")
                    {
                        WaitForFrames();
                    }
                }
                Send(_source, "OnDisable");
                Console.WriteLine("{\"shown\": [" + string.Join(", ", _shown) + "], \"heard\": [" + string.Join(", ", _heard)
                    + FormattableString.Invariant($"], \"bytes\": {bytes}, \"frames\": {frames}, \"told\": [")
                    + string.Join(", ", Debug.Told.ConvertAll(Quoted)) + "]}");
            }

            /// <summary>Until all frames are there of the audio that was written so far, unless the server is lost.</summary>
            private void WaitForFrames()
            {
                AnimationSession session = _source.Session;
                for (int waited = 0; session != null && waited < PatienceMilliseconds; waited++)
                {
                    bool isOver = session.State >= SessionState.Reconnecting;
                    long settled = session.Audio.End - (session.Info?.LatencySamples ?? 0) - (2 * 1920);
                    bool isThere = session.Info != null && session.NextFrame >= (settled * 30 / Rate) - 1;
                    bool isLast = _source is FacestreamSpeech && session.Audio.End >= _resampled.Length;
                    if (isOver || (isThere && !isLast))
                    {
                        return;
                    }
                    Thread.Sleep(1);
                }
            }

            /// <summary>What the audio thread, or the microphone, has done since the last time.</summary>
            private void HandAudio(string what, double now)
            {
                if (_filter == null)
                {
                    AudioClip recorded = Microphone.Recorded;
                    for (; recorded != null && _played < now * Rate; _played++)
                    {
                        bool isSilent = _played >= _resampled.Length;
                        recorded.Interleaved[_played % recorded.samples] = isSilent ? 0 : _resampled[_played];
                        Microphone.Position = (int)((_played + 1) % recorded.samples);
                    }
                    return;
                }
                for (; (_played + BufferFrames) / (double)Rate <= now; _played += BufferFrames)
                {
                    Array.Clear(_buffer, 0, _buffer.Length);
                    for (int i = 0; what == "capture" && i < BufferFrames && _played + i < _resampled.Length; i++)
                    {
                        _buffer[2 * i] = _buffer[(2 * i) + 1] = _resampled[_played + i];
                    }
                    bool isOver = what == "capture" && _played > _resampled.Length + (Rate / 2);
                    if (!isOver)
                    {
                        _filter(_buffer, 2);
                    }
                    if (_loudest == 0 && HasSound())
                    {
                        _loudest = 1;
                        _heard.Add(FormattableString.Invariant($"{now:F4}"));
                    }
                }
            }

            private bool HasSound()
            {
                foreach (float value in _buffer)
                {
                    if (Math.Abs(value) > 0.001f)
                    {
                        return true;
                    }
                }
                return false;
            }
        }

        private sealed class PriorKnowledge : DelegatingHandler
        {
            public PriorKnowledge(HttpMessageHandler inner)
                : base(inner)
            {
            }

            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancelled)
            {
                request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
                return base.SendAsync(request, cancelled);
            }
        }
    }
}
