using System;
using System.Collections.Generic;
using System.Threading;

namespace Facestream.Program
{
    /// <summary>
    /// A game's frame loop: audio is captured live, played a fixed time later, and the face is asked for 60 times a second
    /// at the position of the audio clock.
    /// </summary>
    internal static class PlayCommand
    {
        private const int BufferSamples = 320;

        internal static int Run(CommandLine command)
        {
            float[] speech = command.Speech();
            StreamOptions options = command.Options();
            double delay = command.Number("delay-ms", 300) / 1000.0;
            var report = new Report();
            using (ITransport transport = command.Transport())
            using (var thread = new SessionThread(transport, options))
            {
                thread.Session.EventReceived += what => report.Event(what);
                thread.Start();
                while (thread.Session.Info == null && thread.Session.State < SessionState.Finished)
                {
                    Thread.Sleep(1);
                }
                Play(thread, speech, options, delay, report);
                report.Add("state", thread.Session.State.ToString());
                report.Add("failure", thread.Session.Failure?.Message ?? "");
                report.Add("resumes", thread.Session.Resumes);
            }
            Console.WriteLine(report);
            return 0;
        }

        private static void Play(SessionThread thread, float[] speech, StreamOptions options, double delay, Report report)
        {
            AnimationSession session = thread.Session;
            var arrivals = new Dictionary<long, double>();
            session.FrameReceived += (index, row) =>
            {
                lock (arrivals)
                {
                    arrivals[index] = HostClock.Now;
                }
            };
            var clock = new AudioClock(options.SampleRate, 0);
            var face = new Face();
            var starved = new List<double>();
            var positions = new List<double>();
            var weights = new List<double>();
            var audible = new List<double>();
            double started = HostClock.Now;
            double end = speech.Length / (double)options.SampleRate;
            int written = 0;
            int handedOver = 0;
            int next = 0;
            while (true)
            {
                double now = HostClock.Now - started;
                for (; written + BufferSamples <= speech.Length && Due(written, options) <= now; written += BufferSamples)
                {
                    session.Audio.Write(new ReadOnlySpan<float>(speech, written, BufferSamples), 1);
                    thread.Wake();
                }
                for (; Due(handedOver, options) - (BufferSamples / (double)options.SampleRate) + delay <= now;
                    handedOver += BufferSamples)
                {
                    clock.HandedOver(handedOver, BufferSamples, now);
                }
                double position = clock.At(now);
                if (position >= 0 && now >= next / 60.0)
                {
                    next = (int)(now * 60) + 1;
                    session.Playback.At(position, face);
                    positions.Add(position);
                    audible.Add((now - delay) * options.SampleRate);
                    weights.Add(face.Weights[ArkitCurves.IndexOf("jawOpen")]);
                    starved.Add(face.IsStarved ? 1 : 0);
                    // what was audible and what the clock said
                    if (position > ((now - delay) * options.SampleRate) + BufferSamples)
                    {
                        report.Add("ahead_of_audio", position);
                    }
                }
                if (now > end + delay - 0.5)
                {
                    break;
                }
                Thread.Sleep(2);
            }
            report.Add("positions", positions);
            report.Add("audible", audible);
            report.Add("jaw", weights);
            report.Add("starved", starved);
        }

        private static double Due(int first, StreamOptions options)
        {
            return (first + BufferSamples) / (double)options.SampleRate;
        }
    }
}
