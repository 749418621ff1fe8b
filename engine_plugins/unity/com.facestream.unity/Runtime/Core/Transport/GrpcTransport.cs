using System;
using System.Net.Http;

namespace Facestream
{
    /// <summary>
    /// gRPC over HTTP/2, on whatever speaks HTTP/2 here: in Unity Cysharp's YetAnotherHttpHandler, elsewhere
    /// <c>SocketsHttpHandler</c>. <c>http://</c> needs a handler that speaks HTTP/2 without TLS from the first byte.
    /// </summary>
    public sealed class GrpcTransport : ITransport
    {
        private readonly HttpMessageInvoker _invoker;
        private readonly Uri _method;
        private readonly string _token;

        /// <summary>
        /// To <paramref name="server"/>, for example http://localhost:50051; the handler is disposed with the transport.
        /// </summary>
        public GrpcTransport(string server, HttpMessageHandler handler, string token = null)
        {
            if (!Uri.TryCreate(server, UriKind.Absolute, out Uri address)
                || (address.Scheme != "http" && address.Scheme != "https"))
            {
                throw FacestreamException.Invalid("server", server, "http://HOST:PORT, or https://HOST:PORT with TLS");
            }
            _invoker = new HttpMessageInvoker(handler);
            _method = new Uri(address, "/facestream.v1.AnimationService/Animate");
            _token = token;
            Server = address.GetLeftPart(UriPartial.Authority);
        }

        /// <inheritdoc/>
        public string Server { get; }

        /// <inheritdoc/>
        public ICall Open(Action wake)
        {
            var call = new GrpcCall(Server, wake);
            call.Start(_invoker, _method, _token);
            return call;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            _invoker.Dispose();
        }
    }
}
