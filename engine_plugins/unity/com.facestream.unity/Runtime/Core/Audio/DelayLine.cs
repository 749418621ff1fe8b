using System;

namespace Facestream
{
    /// <summary>
    /// Holds back the sound of a source while its face is computed: what goes in goes to the session at once, if there is
    /// one, and comes out a fixed time later, in all its channels. For the audio thread; nothing is allocated after
    /// construction.
    /// </summary>
    public sealed class DelayLine
    {
        private readonly float[] _held;
        private readonly int _channels;
        private readonly int _delay;
        private AnimationSession _session;
        private int _at;
        private long _taken;
        private long _begin;

        /// <summary>A delay of some seconds for interleaved audio.</summary>
        public DelayLine(int sampleRate, int channels, double delaySeconds, double outputLatencySeconds)
        {
            _channels = channels;
            _delay = Math.Max(1, (int)(delaySeconds * sampleRate));
            _held = new float[_delay * channels];
            Clock = new AudioClock(sampleRate, outputLatencySeconds);
        }

        /// <summary>Where the delayed sound is, counted from the session's first sample.</summary>
        public AudioClock Clock { get; }

        /// <summary>Channels that it was made for.</summary>
        public int Channels => _channels;

        /// <summary>Take a buffer, and put what was held back in its place.</summary>
        public void Exchange(Span<float> interleaved, AnimationSession session, double nowSeconds)
        {
            if (_session != session)
            {
                _session = session;
                _begin = _taken;
            }
            session?.Audio.Write(interleaved, _channels);
            for (int i = 0; i < interleaved.Length; i++)
            {
                float later = interleaved[i];
                interleaved[i] = _held[_at];
                _held[_at] = later;
                _at = _at + 1 == _held.Length ? 0 : _at + 1;
            }
            int count = interleaved.Length / _channels;
            Clock.HandedOver(_taken - _delay - _begin, count, nowSeconds);
            _taken += count;
        }
    }
}
