using System;
using System.Threading;

namespace Facestream
{
    /// <summary>
    /// Pumps a session in a thread of its own, as soon as something comes, so that neither the audio thread nor the game
    /// waits. Not for WebGL, which has no threads.
    /// </summary>
    public sealed class SessionThread : IDisposable
    {
        private const int LongestSleepMilliseconds = 5;

        private readonly AutoResetEvent _awake = new AutoResetEvent(false);
        private readonly Thread _thread;
        private volatile bool _isStopping;

        /// <summary>Open a session over <paramref name="transport"/> and run it.</summary>
        public SessionThread(ITransport transport, StreamOptions options)
        {
            Session = new AnimationSession(transport, options, Wake);
            _thread = new Thread(Run) { IsBackground = true, Name = "facestream" };
        }

        /// <summary>The session that is pumped.</summary>
        public AnimationSession Session { get; }

        /// <summary>Begin; event handlers of the session are to be set before.</summary>
        public void Start()
        {
            _thread.Start();
        }

        /// <summary>Let the thread look at once, for example because audio was written.</summary>
        public void Wake()
        {
            _awake.Set();
        }

        /// <summary>End the stream and the thread.</summary>
        public void Dispose()
        {
            _isStopping = true;
            _awake.Set();
            if (_thread.IsAlive)
            {
                _thread.Join();
            }
            Session.Dispose();
        }

        private void Run()
        {
            while (!_isStopping)
            {
                SessionState state = Session.Pump(HostClock.Now);
                if (state == SessionState.Finished || state == SessionState.Failed)
                {
                    return;
                }
                _awake.WaitOne(LongestSleepMilliseconds);
            }
        }
    }
}
