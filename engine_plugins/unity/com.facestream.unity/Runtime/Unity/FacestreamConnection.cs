using System;
using System.Net.Http;
using UnityEngine;

namespace Facestream
{
    /// <summary>Which server characters speak through, and how. An asset that characters share.</summary>
    [CreateAssetMenu(menuName = "facestream/Connection", fileName = "FacestreamConnection")]
    public sealed class FacestreamConnection : ScriptableObject
    {
        [Tooltip("ws://HOST:PORT or wss://HOST:PORT for the server's websocket_port; http:// or https:// for gRPC, which needs "
            + "YetAnotherHttpHandler in the project.")]
        [SerializeField]
        private string server = "ws://localhost:8080";

        [Tooltip("Only where the server asks for one. Do not ship a secret in a game: fetch it, and set Token.")]
        [SerializeField]
        private string token = "";

        [Tooltip("A model of the server; empty for its first.")]
        [SerializeField]
        private string model = "";

        [Range(24, 60)]
        [SerializeField]
        private int framesPerSecond = 30;

        [Tooltip("Time between the sound's capture and its playing, while its face is computed.")]
        [Range(100, 1000)]
        [SerializeField]
        private int delayMilliseconds = 250;

        /// <summary>Makes the HTTP/2 handler of every gRPC connection; set it to use one of your own.</summary>
        public static Func<HttpMessageHandler> Http2Handler { get; set; } = DefaultHandler;

        /// <summary>Address of the server.</summary>
        public string Server
        {
            get => server;
            set => server = value;
        }

        /// <summary>Bearer token; empty for none.</summary>
        public string Token
        {
            get => token;
            set => token = value;
        }

        /// <summary>Time between capture and playing, in seconds.</summary>
        public double DelaySeconds => delayMilliseconds / 1000.0;

        /// <summary>Options of a stream of audio at this rate.</summary>
        public StreamOptions Options(int sampleRate)
        {
            return new StreamOptions { SampleRate = sampleRate, FrameRateNumerator = framesPerSecond, Model = model };
        }

        /// <summary>A way to the server. Raises <see cref="FacestreamException"/> for an address that is no good.</summary>
        public ITransport CreateTransport()
        {
            if (server.StartsWith("ws", StringComparison.OrdinalIgnoreCase))
            {
#if UNITY_WEBGL && !UNITY_EDITOR
                return new WebGLTransport(server, token);
#else
                return new WebSocketTransport(server, token);
#endif
            }
            HttpMessageHandler handler = Http2Handler?.Invoke();
            if (handler == null)
            {
                throw new FacestreamException(
                    FailureKind.InvalidValue,
                    $"{server} is gRPC, which needs HTTP/2: add the package YetAnotherHttpHandler to the project, or use the "
                    + "server's WebSocket port (ws://HOST:PORT)");
            }
            return new GrpcTransport(server, handler, token);
        }

        private static HttpMessageHandler DefaultHandler()
        {
#if FACESTREAM_HTTP2
            return new Cysharp.Net.Http.YetAnotherHttpHandler { Http2Only = true };
#else
            return null;
#endif
        }
    }
}
