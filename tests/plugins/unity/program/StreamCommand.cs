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
                var watch = new Watch(session, options.SampleRate);
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
                started = first == 0 ? HostClock.Now : started;
                int count = Math.Min(chunk, speech.Length - first);
                if (isLive)
                {
                    double due = started + ((first + count) / (double)watch.SampleRate);
                    Thread.Sleep(Math.Max(0, (int)Math.Ceiling((due - HostClock.Now) * 1000)));
                }
                if (session.State >= SessionState.Finished)
                {
                    return;
                }
                watch.Sending();
                session.Audio.Write(new ReadOnlySpan<float>(speech, first, count), 1);
                thread.Wake();
            }
        }

        private static bool IsFull(AnimationSession session)
        {
            return session.Audio.End - session.SentSamples > session.Audio.Capacity / 2;
        }

        /// <summary>Largest weight long behind the last frame: what a player sees of a stream that has ended.</summary>
        private static double RestingWeight(AnimationSession session)
        {
            var face = new Face();
            session.Playback.At(1e9, face);
            double largest = 0;
            foreach (float weight in face.Weights)
            {
                largest = Math.Max(largest, weight);
            }
            return largest;
        }

        /// <summary>Keeps every frame, and when chunks went out and frames came in, by the clock of the machine.</summary>
        private sealed class Watch
        {
            private readonly List<double> _sent = new List<double>();
            private readonly List<double> _arrived = new List<double>();
            private readonly List<double> _allocated = new List<double>();
            private long _first = -1;

            internal Watch(AnimationSession session, int sampleRate)
            {
                SampleRate = sampleRate;
                session.FrameReceived += Received;
            }

            internal int SampleRate { get; }

            internal MemoryStream Frames { get; } = new MemoryStream();

            internal void Sending()
            {
                _sent.Add(HostClock.Now);
                _allocated.Add(GC.GetTotalAllocatedBytes(false));
            }

            internal void Tell(Report report)
            {
                report.Add("frames", _arrived.Count);
                report.Add("first_frame", _first);
                report.Add("sent", _sent);
                report.Add("arrived", _arrived);
                report.Add("allocated", _allocated);
            }

            private void Received(long index, ReadOnlySpan<float> row)
            {
                _first = _first < 0 ? index : _first;
                _arrived.Add(HostClock.Now);
                Frames.Write(BitConverter.GetBytes(index));
                foreach (float value in row)
                {
                    Frames.Write(BitConverter.GetBytes(value));
                }
            }
        }
    }
}
