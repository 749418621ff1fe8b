using System;
using System.Collections.Generic;
using System.Threading;

namespace Facestream
{
    /// <summary>A whole recording, animated as fast as the server can.</summary>
    public sealed class Recording
    {
        private readonly List<float[]> _rows = new List<float[]>();

        private Recording(FrameClock clock)
        {
            Clock = clock;
        }

        /// <summary>Clock of the frames.</summary>
        public FrameClock Clock { get; }

        /// <summary>A row for each frame from the first sample on: 52 weights, then the rotations of head and eyes.</summary>
        public IReadOnlyList<float[]> Rows => _rows;

        /// <summary>
        /// Animate one channel of audio at the rate of the options. Waits until it is done; <paramref name="progress"/> sees
        /// 0 to 1, and by false ends it with an OperationCanceledException, <paramref name="started"/> what the server said. Raises
        /// <see cref="FacestreamException"/>.
        /// </summary>
        public static Recording Animate(
            ITransport transport,
            float[] samples,
            StreamOptions options,
            Func<float, bool> progress = null,
            Action<StreamInfo> started = null)
        {
            var recording = new Recording(options.Clock);
            options.SlowReader = SlowReader.Wait;
            using (var thread = new SessionThread(transport, options))
            {
                AnimationSession session = thread.Session;
                session.FrameReceived += (index, row) => recording._rows.Add(row.ToArray());
                thread.Start();
                int written = 0;
                bool isFinishing = false;
                while (session.State < SessionState.Finished)
                {
                    int room = session.Audio.Capacity - (int)(session.Audio.End - session.SentSamples);
                    int count = Math.Min(samples.Length - written, room / 2);
                    session.Audio.Write(new ReadOnlySpan<float>(samples, written, count), 1);
                    written += count;
                    if (written == samples.Length && !isFinishing)
                    {
                        isFinishing = true;
                        session.Finish();
                    }
                    thread.Wake();
                    float share = session.SentSamples / (float)Math.Max(1, samples.Length);
                    if (progress != null && !progress(share))
                    {
                        throw new OperationCanceledException();
                    }
                    Thread.Sleep(5);
                }
                if (session.Failure != null)
                {
                    throw session.Failure;
                }
                started?.Invoke(session.Info);
            }
            return recording;
        }
    }
}
