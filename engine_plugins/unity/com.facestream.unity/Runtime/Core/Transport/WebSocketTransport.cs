using System;

namespace Facestream
{
    /// <summary>
    /// WebSocket, for platforms without HTTP/2: the same messages, one in each binary frame, to the server's WebSocket port
    /// (setting <c>websocket_port</c>).
    /// </summary>
    public sealed class WebSocketTransport : ITransport
    {
        /// <summary>Path of the call.</summary>
        public const string Path = "/facestream.v1.AnimationService/Animate";

        /// <summary>Protocol that is offered: protobuf in binary frames.</summary>
        public const string Protocol = "facestream.v1.binary";

        private readonly Uri _address;
        private readonly string _token;

        /// <summary>To <paramref name="server"/>, for example ws://localhost:8080.</summary>
        public WebSocketTransport(string server, string token = null)
        {
            if (!Uri.TryCreate(server, UriKind.Absolute, out Uri address)
                || (address.Scheme != "ws" && address.Scheme != "wss"))
            {
                throw FacestreamException.Invalid("server", server, "ws://HOST:PORT, or wss://HOST:PORT with TLS");
            }
            _address = new Uri(address, Path);
            _token = token;
            Server = address.GetLeftPart(UriPartial.Authority);
        }

        /// <inheritdoc/>
        public string Server { get; }

        /// <inheritdoc/>
        public ICall Open(Action wake)
        {
            var call = new WebSocketCall(Server, wake);
            call.Start(_address, _token);
            return call;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            // every call has a connection of its own
        }
    }
}
