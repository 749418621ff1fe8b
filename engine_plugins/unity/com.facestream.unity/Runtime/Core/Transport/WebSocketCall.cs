using System;
using System.Net.WebSockets;
using System.Text;
using System.Threading.Tasks;
using Facestream.Wire;

namespace Facestream
{
    /// <summary>
    /// One call over one WebSocket. An empty frame says that nothing more will be sent; a call that fails ends with its
    /// status in a text frame and a close code of 4000 and the status's number.
    /// </summary>
    internal sealed class WebSocketCall : QueuedCall
    {
        private const int StatusCloseCodes = 4000;
        private const int LongestMessage = 4 * 1024 * 1024;

        private readonly string _server;
        private bool _isConnected;
        private string _status;

        internal WebSocketCall(string server, Action wake)
            : base(wake)
        {
            _server = server;
        }

        internal void Start(Uri address, string token)
        {
            Task.Run(() => Run(address, token));
        }

        private async Task Run(Uri address, string token)
        {
            using (var socket = new ClientWebSocket())
            {
                try
                {
                    socket.Options.AddSubProtocol(WebSocketTransport.Protocol);
                    if (!string.IsNullOrEmpty(token))
                    {
                        socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
                    }
                    await socket.ConnectAsync(address, Cancelled).ConfigureAwait(false);
                    _isConnected = true;
                    Task sending = SendMessages(socket);
                    await ReadMessages(socket).ConfigureAwait(false);
                    End(Ending(socket));
                    await sending.ConfigureAwait(false);
                }
                catch (FacestreamException failure)
                {
                    End(failure);
                }
                catch (Exception error)
                {
                    End(Cancelled.IsCancellationRequested
                        ? null
                        : ConnectionFailure.Of(_server, "ws", " with 'websocket_port' set", _isConnected, error));
                }
            }
        }

        private async Task ReadMessages(ClientWebSocket socket)
        {
            var buffer = new byte[16 * 1024];
            int held = 0;
            while (true)
            {
                ValueWebSocketReceiveResult part =
                    await socket.ReceiveAsync(buffer.AsMemory(held), Cancelled).ConfigureAwait(false);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }
                held += part.Count;
                if (!part.EndOfMessage)
                {
                    if (held == buffer.Length)
                    {
                        Grow(ref buffer);
                    }
                    continue;
                }
                if (part.MessageType == WebSocketMessageType.Text)
                {
                    _status = Encoding.UTF8.GetString(buffer, 0, held);
                }
                else
                {
                    await Received(buffer.AsMemory(0, held)).ConfigureAwait(false);
                }
                held = 0;
            }
        }

        private static void Grow(ref byte[] buffer)
        {
            if (2 * buffer.Length > LongestMessage)
            {
                throw FacestreamException.Protocol("the server sent a message beyond 4 MiB");
            }
            Array.Resize(ref buffer, 2 * buffer.Length);
        }

        private async Task SendMessages(ClientWebSocket socket)
        {
            var message = new byte[16 * 1024];
            try
            {
                while (true)
                {
                    if (TryTakeOutgoing(ref message, 0, out int length))
                    {
                        await Send(socket, message.AsMemory(0, length)).ConfigureAwait(false);
                    }
                    else if (!await WaitForOutgoing().ConfigureAwait(false))
                    {
                        break;
                    }
                }
                await Send(socket, ReadOnlyMemory<byte>.Empty).ConfigureAwait(false);
            }
            catch (Exception error) when (error is WebSocketException || error is OperationCanceledException
                || error is InvalidOperationException)
            {
                // the socket is gone; why, the reader knows
            }
        }

        private ValueTask Send(ClientWebSocket socket, ReadOnlyMemory<byte> message)
        {
            return socket.SendAsync(message, WebSocketMessageType.Binary, true, Cancelled);
        }

        private FacestreamException Ending(ClientWebSocket socket)
        {
            int code = (int)(socket.CloseStatus ?? WebSocketCloseStatus.Empty);
            if (_status != null)
            {
                return StatusJson.FailureOf(_server, _status);
            }
            if (code == (int)WebSocketCloseStatus.NormalClosure)
            {
                return null;
            }
            string words = socket.CloseStatusDescription ?? "";
            return code > StatusCloseCodes
                ? Statuses.FailureOf(_server, code - StatusCloseCodes, words, "", 0)
                : new FacestreamException(FailureKind.Unavailable, $"{_server} closed the WebSocket ({code}) {words}");
        }
    }
}
