using System.Threading;
using UnityEngine;

namespace Facestream
{
    /// <summary>
    /// Listens to whatever the AudioSource beside it plays, and holds the sound back by the connection's delay, so that it is
    /// heard together with its face. Place it behind other audio filters. Not in WebGL, which has no filters.
    /// </summary>
    [RequireComponent(typeof(AudioSource))]
    [AddComponentMenu("facestream/Capture")]
    public sealed class FacestreamCapture : FacestreamSource
    {
        private const double QuietSeconds = 1;

        private volatile DelayLine _delay;
        private volatile AnimationSession _session;
        private volatile bool _hasHeard;
        private int _channels;
        private long _heardAt;

        /// <inheritdoc/>
        protected override AudioClock Clock => _delay?.Clock;

        private void OnEnable()
        {
            _channels = 2;
            Delay();
        }

        private void Update()
        {
            Watch();
            int channels = Volatile.Read(ref _channels);
            if (_delay.Channels != channels)
            {
                Delay();
            }
            double quiet = HostClock.Now - (Volatile.Read(ref _heardAt) / 1000.0);
            bool isOver = Session != null && Session.State >= SessionState.Finished;
            if (_session != null && (isOver || quiet > QuietSeconds))
            {
                _session = null;
                Session?.Finish();
            }
            if (_session == null && quiet < QuietSeconds && _hasHeard && Open(SampleRate))
            {
                _session = Session;
            }
        }

        private void Delay()
        {
            double delay = Connection != null ? Connection.DelaySeconds : 0;
            _delay = new DelayLine(SampleRate, Volatile.Read(ref _channels), delay, OutputLatency);
        }

        private void OnAudioFilterRead(float[] data, int channels)
        {
            double now = HostClock.Now;
            Volatile.Write(ref _heardAt, (long)(now * 1000));
            Volatile.Write(ref _channels, channels);
            _hasHeard = true;
            DelayLine delay = _delay;
            if (delay != null && delay.Channels == channels)
            {
                delay.Exchange(data, _session, now);
            }
        }

        /// <inheritdoc/>
        protected override void OnDisable()
        {
            _session = null;
            _hasHeard = false;
            base.OnDisable();
        }
    }
}
