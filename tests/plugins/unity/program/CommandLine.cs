using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading;
using System.Threading.Tasks;

namespace Facestream.Program
{
    /// <summary><c>VERB --name value ...</c></summary>
    public sealed class CommandLine
    {
        private readonly Dictionary<string, string> _values = new Dictionary<string, string>();

        public CommandLine(string[] arguments)
        {
            Verb = arguments.Length > 0 ? arguments[0] : "";
            for (int i = 1; i + 1 < arguments.Length && arguments[i].StartsWith("--", StringComparison.Ordinal); i += 2)
            {
                _values[arguments[i].Substring(2)] = arguments[i + 1];
            }
        }

        public string Verb { get; }

        public string Text(string name, string otherwise = null)
        {
            return _values.TryGetValue(name, out string value) ? value : otherwise;
        }

        public int Number(string name, int otherwise)
        {
            return _values.TryGetValue(name, out string value) ? int.Parse(value) : otherwise;
        }

        public StreamOptions Options()
        {
            return new StreamOptions
            {
                SampleRate = Number("rate", 16000),
                FrameRateNumerator = Number("fps", 30),
                Model = Text("model", ""),
                Seed = (ulong)Number("seed", 1),
                SlowReader = Text("pace") == "live" ? SlowReader.DropOldest : SlowReader.Wait,
                ChunkMilliseconds = Number("chunk-ms", 40),
                Controls = new MotionControls { MouthStrength = 1, Blinks = true, Gaze = true },
            };
        }

        public ITransport Transport()
        {
            string server = Text("server");
            if (server.StartsWith("ws", StringComparison.Ordinal))
            {
                return new WebSocketTransport(server, Text("token"));
            }
            var sockets = new SocketsHttpHandler { EnableMultipleHttp2Connections = true };
            string root = Text("root-certificate");
            if (root != null)
            {
                sockets.SslOptions.RemoteCertificateValidationCallback = Trusting(new X509Certificate2(root));
            }
            return new GrpcTransport(server, new PriorKnowledge(sockets), Text("token"));
        }

        /// <summary>The recording as -1..1.</summary>
        public float[] Speech()
        {
            byte[] bytes = File.ReadAllBytes(Text("pcm"));
            var samples = new float[bytes.Length / 2];
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = BitConverter.ToInt16(bytes, 2 * i) / 32768f;
            }
            return samples;
        }

        private static RemoteCertificateValidationCallback Trusting(X509Certificate2 root)
        {
            return (sender, certificate, chain, errors) =>
            {
                chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                chain.ChainPolicy.CustomTrustStore.Add(root);
                return chain.Build(new X509Certificate2(certificate));
            };
        }

    }

    /// <summary>HTTP/2 from the first byte: what .NET else only does behind TLS.</summary>
    internal sealed class PriorKnowledge : DelegatingHandler
    {
        public PriorKnowledge(HttpMessageHandler inner)
            : base(inner)
        {
        }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
