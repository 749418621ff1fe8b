using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;
using Facestream.Wire;

namespace Facestream
{
    /// <summary>
    /// One bidirectional gRPC call: a request whose body is written while the response is read. Messages have five bytes
    /// before them (0, then the length, highest byte first); the status comes in the trailers.
    /// </summary>
    internal sealed class GrpcCall : QueuedCall
    {
        private const int PrefixBytes = 5;
        private const int LongestMessage = 4 * 1024 * 1024;
        private const int BatchBytes = 16 * 1024;

        private readonly string _server;
        private bool _hasResponse;

        internal GrpcCall(string server, Action wake)
            : base(wake)
        {
            _server = server;
        }

        internal void Start(HttpMessageInvoker invoker, Uri method, string token)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, method)
            {
                Version = new Version(2, 0),
                Content = new Body(this),
            };
            request.Headers.TryAddWithoutValidation("te", "trailers");
            request.Headers.TryAddWithoutValidation("facestream-client", "unity/" + PackageVersion.Text);
            if (!string.IsNullOrEmpty(token))
            {
                request.Headers.TryAddWithoutValidation("authorization", "Bearer " + token);
            }
            Task.Run(() => Run(invoker, request));
        }

        private async Task Run(HttpMessageInvoker invoker, HttpRequestMessage request)
        {
            try
            {
                using (HttpResponseMessage response = await invoker.SendAsync(request, Cancelled).ConfigureAwait(false))
                {
                    _hasResponse = true;
                    End(await ReadAll(response).ConfigureAwait(false));
                }
            }
            catch (FacestreamException failure)
            {
                End(failure);
            }
            catch (Exception error)
            {
                // cancelled here, or the connection broke, in one of the many words that handlers have for it
                End(Cancelled.IsCancellationRequested
                    ? null
                    : ConnectionFailure.Of(_server, "http", "", _hasResponse, error));
            }
        }

        /// <summary>Read to the end of the answer; the failure that its status says, null for OK.</summary>
        private async Task<FacestreamException> ReadAll(HttpResponseMessage response)
        {
            string type = response.Content.Headers.ContentType?.MediaType ?? "nothing";
            if (response.StatusCode != HttpStatusCode.OK || !type.StartsWith("application/grpc", StringComparison.Ordinal))
            {
                throw FacestreamException.Protocol(
                    $"{_server} answered with HTTP status {(int)response.StatusCode} and {type}, not as a gRPC server; check "
                    + "the address and the port");
            }
            if (response.Headers.Contains("grpc-status"))
            {
                return Status(response.Headers);
            }
            using (Stream stream = await response.Content.ReadAsStreamAsync().ConfigureAwait(false))
            {
                await ReadMessages(stream).ConfigureAwait(false);
            }
            return Status(response.TrailingHeaders);
        }

        private async Task ReadMessages(Stream stream)
        {
            var buffer = new byte[32 * 1024];
            int held = 0;
            while (true)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(held), Cancelled).ConfigureAwait(false);
                if (read == 0)
                {
                    return;
                }
                held += read;
                int taken = 0;
                int length = 0;
                while (held - taken >= PrefixBytes)
                {
                    length = LengthAt(buffer, taken);
                    if (held - taken < PrefixBytes + length)
                    {
                        break;
                    }
                    await Received(buffer.AsMemory(taken + PrefixBytes, length)).ConfigureAwait(false);
                    taken += PrefixBytes + length;
                    length = 0;
                }
                held -= taken;
                Buffer.BlockCopy(buffer, taken, buffer, 0, held);
                if (PrefixBytes + length > buffer.Length)
                {
                    Array.Resize(ref buffer, PrefixBytes + length);
                }
            }
        }

        private static int LengthAt(byte[] buffer, int at)
        {
            long length = ((long)buffer[at + 1] << 24) | ((long)buffer[at + 2] << 16) | ((long)buffer[at + 3] << 8)
                | buffer[at + 4];
            if (buffer[at] != 0 || length > LongestMessage)
            {
                throw FacestreamException.Protocol(
                    $"the server sent a message of {length} bytes with compression {buffer[at]}; this plugin takes "
                    + "uncompressed ones of up to 4 MiB");
            }
            return (int)length;
        }

        private async Task WriteMessages(Stream stream)
        {
            var batch = new byte[2 * BatchBytes];
            do
            {
                int filled = 0;
                while (filled < BatchBytes && TryTakeOutgoing(ref batch, filled + PrefixBytes, out int length))
                {
                    batch[filled] = 0;
                    for (int i = 0; i < 4; i++)
                    {
                        batch[filled + 1 + i] = (byte)(length >> (24 - (8 * i)));
                    }
                    filled += PrefixBytes + length;
                }
                if (filled > 0)
                {
                    await stream.WriteAsync(batch.AsMemory(0, filled), Cancelled).ConfigureAwait(false);
                    await stream.FlushAsync(Cancelled).ConfigureAwait(false);
                }
                else if (!await WaitForOutgoing().ConfigureAwait(false))
                {
                    return;
                }
            }
            while (true);
        }

        private FacestreamException Status(HttpHeaders headers)
        {
            string text = First(headers, "grpc-status");
            if (!int.TryParse(text, out int code))
            {
                return new FacestreamException(
                    FailureKind.Unavailable, $"the connection to {_server} was lost before the stream had ended");
            }
            if (code == 0)
            {
                return null;
            }
            string message = Uri.UnescapeDataString(First(headers, "grpc-message"));
            return Statuses.FailureOf(_server, code, message, Base64(First(headers, "grpc-status-details-bin")));
        }

        private static string First(HttpHeaders headers, string name)
        {
            if (headers.TryGetValues(name, out IEnumerable<string> values))
            {
                foreach (string value in values)
                {
                    return value;
                }
            }
            return "";
        }

        private static byte[] Base64(string text)
        {
            // gRPC leaves the padding out
            string padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
            var bytes = new byte[padded.Length];
            return Convert.TryFromBase64String(padded, bytes, out int count)
                ? bytes.AsSpan(0, count).ToArray()
                : Array.Empty<byte>();
        }

        /// <summary>The body of the request, which ends when nothing more will be sent.</summary>
        private sealed class Body : HttpContent
        {
            private readonly GrpcCall _call;

            internal Body(GrpcCall call)
            {
                _call = call;
                Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
            }

            protected override Task SerializeToStreamAsync(Stream stream, TransportContext context)
            {
                return _call.WriteMessages(stream);
            }

            protected override bool TryComputeLength(out long length)
            {
                length = -1;
                return false;
            }
        }
    }
}
