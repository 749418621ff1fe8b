using System;
using System.IO;
using System.Linq;
using System.Net.Http;

namespace Facestream.Program
{
    /// <summary>A line of the plan; engine_plugins/conformance/README.md tells what its words mean.</summary>
    internal sealed class ConformCase
    {
        internal const int SampleRate = 16000;

        private const int HeaderBytes = 44;

        private string _server;
        private string _token;
        private string _audio;
        private string _model = "";
        private ulong _seed;
        private int _frameRate = 30;
        private bool _waitsForReader;
        private int _loseFirst;
        private int _loseCount;

        internal ConformCase(string line)
        {
            foreach (string word in line.Split(' '))
            {
                string[] parts = word.Split('=', 2);
                Take(parts[0], parts[1]);
            }
        }

        internal string Name { get; private set; }

        internal string TransportName => _server.StartsWith("ws:", StringComparison.Ordinal) ? "websocket" : "grpc";

        internal bool IsFast { get; private set; }

        internal int PauseSample { get; private set; } = -1;

        internal int PauseMilliseconds { get; private set; }

        internal int CancelAfter { get; private set; } = -1;

        internal int DrawStep { get; private set; }

        internal int DrawLead { get; private set; }

        internal int DrawUntil { get; private set; }

        internal bool Loses(long index)
        {
            return index >= _loseFirst && index < _loseFirst + _loseCount;
        }

        internal StreamOptions Options()
        {
            return new StreamOptions
            {
                SampleRate = SampleRate,
                FrameRateNumerator = _frameRate,
                Model = _model,
                Seed = _seed,
                SlowReader = _waitsForReader ? SlowReader.Wait : SlowReader.DropOldest,
            };
        }

        internal ITransport Transport()
        {
            return TransportName == "websocket"
                ? (ITransport)new WebSocketTransport(_server, _token)
                : new GrpcTransport("http://" + _server, new PriorKnowledge(new SocketsHttpHandler()), _token);
        }

        /// <summary>The recording as -1..1: 16 bits, mono, behind a plain header.</summary>
        internal float[] Speech()
        {
            byte[] bytes = File.ReadAllBytes(_audio);
            var samples = new float[(bytes.Length - HeaderBytes) / 2];
            for (int i = 0; i < samples.Length; i++)
            {
                samples[i] = BitConverter.ToInt16(bytes, HeaderBytes + (2 * i)) / 32768f;
            }
            return samples;
        }

        private void Take(string key, string value)
        {
            switch (key)
            {
                case "case": Name = value; break;
                case "server": _server = value; break;
                case "token": _token = value; break;
                case "audio": _audio = value; break;
                case "model": _model = value; break;
                case "seed": _seed = ulong.Parse(value); break;
                case "frame_rate": _frameRate = int.Parse(value); break;
                case "slow_reader": _waitsForReader = value == "wait"; break;
                case "pace": IsFast = value == "fast"; break;
                case "pause": (PauseSample, PauseMilliseconds, _) = Numbers(value); break;
                case "read_after": break; // a session reads on a thread of its own
                case "cancel_after": CancelAfter = int.Parse(value); break;
                case "draw": (DrawStep, DrawLead, DrawUntil) = Numbers(value); break;
                case "lose": (_loseFirst, _loseCount, _) = Numbers(value); break;
                case "together": break; // all cases are played at once
                default: throw new ArgumentException($"the plan says {key}, which this runner does not know");
            }
        }

        private static (int, int, int) Numbers(string text)
        {
            int[] numbers = text.Split(',').Select(int.Parse).ToArray();
            return (numbers[0], numbers[1], numbers.Length > 2 ? numbers[2] : 0);
        }
    }
}
