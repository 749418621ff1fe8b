using System;
using System.Collections.Generic;
using Facestream.Wire;

namespace Facestream.Program
{
    /// <summary>
    /// Bytes allocated by one thread that does all a client does for a frame but the network: audio in, message out, answer
    /// in, decoded, buffered, asked for. <c>--leak 1</c> allocates on purpose.
    /// </summary>
    internal static class AllocationsCommand
    {
        private const int FramesOfARun = 2;

        internal static int Run(CommandLine command)
        {
            int wanted = command.Number("frames", 10000);
            bool leaks = command.Number("leak", 0) != 0;
            var options = new StreamOptions { FrameRateNumerator = 50, SampleRate = 48000 };
            var call = new Server();
            var session = new AnimationSession(call, options);
            session.Pump(0);
            var visemes = new ExpressionSet();
            var face = new Face();
            var audio = new float[2048];
            object kept = null;
            long before = 0;
            for (int frame = 0; frame < wanted + 2000; frame++)
            {
                if (frame == 2000)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }
                audio[frame % 1024] = frame / 20000f;
                session.Audio.Write(new ReadOnlySpan<float>(audio, 0, 1920), 2);
                session.Pump(frame / 50.0);
                session.Playback.At((frame - 10) * 960.0, face);
                visemes.Update(face);
                if (leaks)
                {
                    kept = frame;
                }
            }
            long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
            var report = new Report();
            report.Add("bytes", bytes);
            report.Add("frames", session.NextFrame);
            report.Add("starved", face.IsStarved ? 1 : 0);
            report.Add("jaw", face.Weights[ArkitCurves.IndexOf("jawOpen")]);
            report.Add("failure", session.Failure?.Message ?? "");
            report.Add("kept", kept == null ? 0 : 1);
            Console.WriteLine(report);
            return 0;
        }

        /// <summary>Answers each chunk with the frames that it stands for.</summary>
        private sealed class Server : ITransport, ICall
        {
            private readonly ProtoWriter _writer = new ProtoWriter();
            private long _next;
            private int _due;
            private bool _isStarted;

            string ITransport.Server => "nowhere";

            ICall ITransport.Open(Action wake)
            {
                return this;
            }

            bool ICall.TrySend(ReadOnlySpan<byte> message)
            {
                _due++;
                return true;
            }

            void ICall.Finish()
            {
            }

            bool ICall.TryReceive(ref byte[] buffer, out int length)
            {
                length = 0;
                if (_due == 0)
                {
                    return false;
                }
                _due--;
                _writer.Clear();
                if (!_isStarted)
                {
                    Start();
                }
                else
                {
                    Frames();
                }
                _writer.Written.CopyTo(buffer);
                length = _writer.Written.Length;
                return true;
            }

            bool ICall.HasEnded(out FacestreamException failure)
            {
                failure = null;
                return false;
            }

            void IDisposable.Dispose()
            {
            }

            private void Start()
            {
                _isStarted = true;
                int started = _writer.Begin(1);
                foreach (string name in ArkitCurves.Names)
                {
                    _writer.Text(4, name);
                }
                int rate = _writer.Begin(5);
                _writer.Integer(1, 50);
                _writer.End(rate);
                int limits = _writer.Begin(7);
                _writer.Integer(2, 48000);
                _writer.End(limits);
                _writer.End(started);
            }

            private void Frames()
            {
                int frames = _writer.Begin(2);
                _writer.Integer(1, (ulong)_next);
                _writer.Integer(2, FramesOfARun);
                int bytes = FramesOfARun * ArkitCurves.Count * 4;
                _writer.Bytes(3, bytes);
                Span<byte> weights = _writer.Last(bytes);
                for (int i = 0; i < bytes; i += 4)
                {
                    weights[i] = weights[i + 1] = weights[i + 2] = 0;
                    weights[i + 3] = 0x3E;
                }
                _writer.End(frames);
                _next += FramesOfARun;
            }
        }
    }
}
