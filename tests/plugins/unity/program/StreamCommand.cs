using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;

namespace Facestream.Program
{
    /// <summary>
    /// Streams a recording, live or as fast as it goes; writes the frames to a file and what happened to standard output.
    /// </summary>
    internal static class StreamCommand
    {
        internal static int Run(CommandLine command)
        {
            float[] speech = command.Speech();
            StreamOptions options = command.Options();
            bool isLive = command.Text("pace") == "live";
            var report = new Report();
            using (ITransport transport = command.Transport())
            using (var thread = new SessionThread(transport, options))
            {
                AnimationSession session = thread.Session;
                var watch = new Watch(session, options, speech.Length);
                session.EventReceived += what => report.Event(what);
                thread.Start();
                Feed(thread, speech, options.SampleRate * options.ChunkMilliseconds / 1000, isLive, watch);
                session.Finish();
                while (session.State < SessionState.Finished)
                {
                    Thread.Sleep(2);
                }
                report.Add("state", session.State.ToString());
                report.Add("failure", session.Failure?.Message ?? "");
                report.Add("kind", session.Failure?.Kind.ToString() ?? "");
                report.Add("resumes", session.Resumes);
                report.Add("model", session.Info?.Model ?? "");
                report.Add("latency_samples", session.Info?.LatencySamples ?? 0);
                report.Add("resting", RestingWeight(session));
                watch.Tell(report);
                if (command.Text("frames") != null)
                {
                    File.WriteAllBytes(command.Text("frames"), watch.Frames.ToArray());
                }
            }
            Console.WriteLine(report);
            return 0;
        }

        private static void Feed(SessionThread thread, float[] speech, int chunk, bool isLive, Watch watch)
        {
            AnimationSession session = thread.Session;
            double started = 0;
            for (int first = 0; first < speech.Length; first += chunk)
            {
                while (session.State < SessionState.Finished && (session.Info == null || IsFull(session)))
                {
                    Thread.Sleep(1);
                }
                started = first == 0 ? SessionThread.Now : started;
                int count = Math.Min(chunk, speech.Length - first);
                if (isLive)
                {
                    double due = started + ((first + count) / (double)watch.SampleRate);
                    Thread.Sleep(Math.Max(0, (int)Math.Ceiling((due - SessionThread.Now) * 1000)));
                }
                if (session.State >= SessionState.Finished)
                {
                    return;
                }
                watch.Sending(first + count);
                session.Audio.Write(new ReadOnlySpan<float>(speech, first, count), 1);
                thread.Wake();
            }
        }

        private static bool IsFull(AnimationSession session)
        {
            return session.Audio.End - session.SentSamples > session.Audio.Capacity / 2;
        }

        /// <summary>Largest weight half a second behind the last frame: what a player sees of a stream that has ended.</summary>
        private static double RestingWeight(AnimationSession session)
        {
            var face = new Face();
            FrameClock clock = new FrameClock(30, 1, 1000);
            session.Playback.At(1e9, face);
            double largest = 0;
            foreach (float weight in face.Weights)
            {
                largest = Math.Max(largest, weight);
            }
            return clock.SampleRate > 0 ? largest : -1;
        }

        /// <summary>
        /// Keeps every frame, and how long after the chunk that completes it each one was there: a frame can be computed once
        /// the audio up to its own sample and the look-ahead was sent.
        /// </summary>
        private sealed class Watch
        {
            private readonly AnimationSession _session;
            private readonly FrameClock _clock;
            private readonly long _length;
            private readonly double[] _sentAt;
            private readonly int _chunk;
            private readonly List<double> _delays = new List<double>();
            private readonly List<long> _indices = new List<long>();
            private readonly List<double> _allocated = new List<double>();

            internal Watch(AnimationSession session, StreamOptions options, int length)
            {
                _session = session;
                _clock = options.Clock;
                _length = length;
                _chunk = options.SampleRate * options.ChunkMilliseconds / 1000;
                _sentAt = new double[(length / _chunk) + 2];
                SampleRate = options.SampleRate;
                session.FrameReceived += Received;
            }

            internal int SampleRate { get; }

            internal MemoryStream Frames { get; } = new MemoryStream();

            internal void Sending(int end)
            {
                _sentAt[(end - 1) / _chunk] = SessionThread.Now;
                _allocated.Add(GC.GetTotalAllocatedBytes(false));
            }

            internal void Tell(Report report)
            {
                report.Add("frames", _indices.Count);
                report.Add("first_frame", _indices.Count > 0 ? _indices[0] : -1);
                report.Add("delays_ms", _delays);
                if (_allocated.Count > 20)
                {
                    double bytes = _allocated[_allocated.Count - 1] - _allocated[_allocated.Count / 2];
                    report.Add("process_bytes_per_chunk", bytes / (_allocated.Count - (_allocated.Count / 2) - 1));
                }
            }

            private void Received(long index, ReadOnlySpan<float> row)
            {
                _indices.Add(index);
                Frames.Write(BitConverter.GetBytes(index));
                foreach (float value in row)
                {
                    Frames.Write(BitConverter.GetBytes(value));
                }
                long needed = _clock.SampleOf(index) + _session.Info.LatencySamples;
                if (needed < _length)
                {
                    _delays.Add((SessionThread.Now - _sentAt[needed / _chunk]) * 1000);
                }
            }
        }
    }
}
