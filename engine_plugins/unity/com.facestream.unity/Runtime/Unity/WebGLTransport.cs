#if UNITY_WEBGL && !UNITY_EDITOR
using System;
using System.Runtime.InteropServices;
using Facestream.Wire;

namespace Facestream
{
    /// <summary>WebSockets of the browser, through Plugins/WebGL/facestream.jslib: WebGL has no sockets and no threads.</summary>
    internal sealed class WebGLTransport : ITransport
    {
        private readonly string _address;
        private readonly string _token;

        internal WebGLTransport(string server, string token)
        {
            // checks the address
            Server = new WebSocketTransport(server).Server;
            _address = Server + WebSocketTransport.Path;
            _token = token;
        }

        public string Server { get; }

        public ICall Open(Action wake)
        {
            return new Call(Server, _address, _token);
        }

        public void Dispose()
        {
        }

        /// <summary>One socket, which lives in the page and is asked.</summary>
        private sealed class Call : ICall
        {
            private const int LongestMessage = 4 * 1024 * 1024;
            private const int StatusCloseCodes = 4000;

            private readonly string _server;
            private readonly int _socket;

            internal Call(string server, string address, string token)
            {
                _server = server;
                _socket = FacestreamOpen(address, WebSocketTransport.Protocol, token ?? "");
            }

            public bool TrySend(ReadOnlySpan<byte> message)
            {
                byte[] copy = message.ToArray();
                return FacestreamSend(_socket, copy, copy.Length) != 0;
            }

            public void Finish()
            {
                FacestreamSend(_socket, Array.Empty<byte>(), 0);
            }

            public bool TryReceive(ref byte[] buffer, out int length)
            {
                length = FacestreamWaiting(_socket);
                if (length < 0)
                {
                    length = 0;
                    return false;
                }
                if (length > LongestMessage)
                {
                    throw new FacestreamException(
                        FailureKind.Protocol, $"{_server} sent a message of {length} bytes");
                }
                if (buffer.Length < length)
                {
                    buffer = new byte[2 * length];
                }
                FacestreamTake(_socket, buffer);
                return true;
            }

            public bool HasEnded(out FacestreamException failure)
            {
                int code = FacestreamClosed(_socket);
                failure = null;
                if (code == 0)
                {
                    return false;
                }
                string words = FacestreamLastWords(_socket);
                if (code > StatusCloseCodes)
                {
                    failure = StatusJson.FailureOf(_server, words);
                }
                else if (code != 1000)
                {
                    failure = new FacestreamException(
                        FailureKind.Unavailable,
                        $"no connection to {_server} (close code {code}); is the server running there with 'websocket_port' "
                        + "set, and this page among its 'websocket_origins'?");
                }
                return true;
            }

            public void Dispose()
            {
                FacestreamClose(_socket);
            }

            [DllImport("__Internal")]
            private static extern int FacestreamOpen(string address, string protocol, string token);

            [DllImport("__Internal")]
            private static extern int FacestreamSend(int socket, byte[] message, int length);

            [DllImport("__Internal")]
            private static extern int FacestreamWaiting(int socket);

            [DllImport("__Internal")]
            private static extern void FacestreamTake(int socket, byte[] buffer);

            [DllImport("__Internal")]
            private static extern int FacestreamClosed(int socket);

            [DllImport("__Internal")]
            private static extern string FacestreamLastWords(int socket);

            [DllImport("__Internal")]
            private static extern void FacestreamClose(int socket);
        }
    }
}
#endif
