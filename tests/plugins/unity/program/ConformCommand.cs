using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;

namespace Facestream.Program
{
    /// <summary>Plays the conformance scenario: <c>conform plan.txt report.json</c>.</summary>
    internal static class ConformCommand
    {
        internal static int Run(string plan, string report)
        {
            List<ConformCase> cases = File.ReadLines(plan).Select(line => new ConformCase(line)).ToList();
            var outcomes = cases.Select(one => new ConformOutcome()).ToList();
            var players = cases.Select((one, place) => new Thread(() => Play(one, outcomes[place]))).ToList();
            players.ForEach(player => player.Start());
            players.ForEach(player => player.Join());
            ConformReport.Write(report, cases, outcomes);
            return 0;
        }

        private static void Play(ConformCase one, ConformOutcome outcome)
        {
            StreamOptions options = one.Options();
            try
            {
                using (ITransport transport = one.Transport())
                using (var thread = new SessionThread(transport, options))
                {
                    Stream(one, thread, outcome);
                }
            }
            catch (FacestreamException failure)
            {
                outcome.Failure = failure;
            }
            if (one.DrawStep > 0)
            {
                Draw(one, options.Clock, outcome);
            }
        }

        private static void Stream(ConformCase one, SessionThread thread, ConformOutcome outcome)
        {
            AnimationSession session = thread.Session;
            session.EventReceived += outcome.Events.Add;
            session.FrameReceived += (index, row) =>
            {
                if (!outcome.WasCancelled)
                {
                    outcome.Frames.Add((index, row.ToArray()));
                    outcome.WasCancelled = outcome.Frames.Count == one.CancelAfter;
                }
            };
            thread.Start();
            Speak(one, thread, outcome);
            while (session.State < SessionState.Finished && !outcome.WasCancelled)
            {
                Thread.Sleep(10);
            }
            outcome.Failure = session.Failure;
            outcome.Resumes = session.Resumes;
            outcome.LatencySamples = session.Info?.LatencySamples ?? 0;
        }

        private static void Speak(ConformCase one, SessionThread thread, ConformOutcome outcome)
        {
            AnimationSession session = thread.Session;
            float[] speech = one.Speech();
            int chunk = ConformCase.SampleRate / 25;
            double begun = HostClock.Now;
            for (int first = 0; first < speech.Length; first += chunk)
            {
                int count = Math.Min(chunk, speech.Length - first);
                if (first <= one.PauseSample && one.PauseSample < first + chunk)
                {
                    Thread.Sleep(one.PauseMilliseconds);
                    begun += one.PauseMilliseconds / 1000.0;
                }
                double due = one.IsFast ? 0 : begun + ((first + count) / (double)ConformCase.SampleRate);
                while (!IsOver(session, outcome) && (HostClock.Now < due || IsFull(session)))
                {
                    Thread.Sleep(Math.Clamp((int)((due - HostClock.Now) * 1000), 2, 40));
                }
                if (IsOver(session, outcome))
                {
                    return;
                }
                session.Audio.Write(new ReadOnlySpan<float>(speech, first, count), 1);
                thread.Wake();
            }
            session.Finish();
        }

        private static bool IsOver(AnimationSession session, ConformOutcome outcome)
        {
            return session.State >= SessionState.Finished || outcome.WasCancelled;
        }

        private static bool IsFull(AnimationSession session)
        {
            return session.Audio.End - session.SentSamples > session.Audio.Capacity / 2;
        }

        private static void Draw(ConformCase one, FrameClock clock, ConformOutcome outcome)
        {
            var playback = new PlaybackClock(clock);
            var waiting = new Queue<(long Index, float[] Row)>(outcome.Frames.Where(frame => !one.Loses(frame.Index)));
            for (int position = 0; position < one.DrawUntil; position += one.DrawStep)
            {
                while (waiting.Count > 0 && clock.SampleOf(waiting.Peek().Index) <= position + one.DrawLead)
                {
                    (long index, float[] row) = waiting.Dequeue();
                    playback.Add(index, row);
                }
                var face = new Face();
                playback.At(position, face);
                outcome.Drawn.Add((position, face));
            }
        }
    }
}
