using System;
using System.Threading;

namespace Facestream
{
    /// <summary>
    /// A recording that is said: fed to a session a little ahead of the sound, and played buffer by buffer from the audio
    /// thread, which drives the clock of the face.
    /// </summary>
    public sealed class SpeechLine
    {
        private const double AheadSeconds = 1.5;

        private readonly float[] _samples;
        private readonly int _rate;
        private long _played;
        private int _fed;
        private volatile bool _mayPlay;

        /// <summary>One channel of audio at the rate of the device, heard so long after it was handed over.</summary>
        public SpeechLine(float[] samples, int sampleRate, double outputLatencySeconds)
        {
            _samples = samples;
            _rate = sampleRate;
            Clock = new AudioClock(sampleRate, outputLatencySeconds);
        }

        /// <summary>Where the sound is.</summary>
        public AudioClock Clock { get; }

        /// <summary>Whether all of it was played.</summary>
        public bool IsOver => Volatile.Read(ref _played) >= _samples.Length;

        /// <summary>Whether it sounds, or would if it were asked for.</summary>
        public bool MayPlay => _mayPlay;

        /// <summary>From now on the audio thread hears it.</summary>
        public void Begin()
        {
            _mayPlay = true;
        }

        /// <summary>Give the session what is due, and tell it when that was all. From one thread.</summary>
        public void Feed(AnimationSession session)
        {
            long until = Math.Min(_samples.Length, Volatile.Read(ref _played) + (long)(AheadSeconds * _rate));
            if (_fed >= until)
            {
                return;
            }
            session.Audio.Write(new ReadOnlySpan<float>(_samples, _fed, (int)(until - _fed)), 1);
            _fed = (int)until;
            if (_fed == _samples.Length)
            {
                session.Finish();
            }
        }

        /// <summary>
        /// Fill a buffer of the audio thread; silence before the beginning and behind the end, where the clock runs on so
        /// that the face comes to rest.
        /// </summary>
        public void Play(Span<float> interleaved, int channels, double nowSeconds)
        {
            interleaved.Clear();
            if (!_mayPlay)
            {
                return;
            }
            int count = interleaved.Length / channels;
            long first = _played;
            for (int i = 0; i < count && first + i < _samples.Length; i++)
            {
                interleaved.Slice(i * channels, channels).Fill(_samples[first + i]);
            }
            Clock.HandedOver(first, count, nowSeconds);
            Volatile.Write(ref _played, first + count);
        }

        /// <summary>Where another player is in the recording, for platforms without an audio thread.</summary>
        public void PlayedTo(long position, double nowSeconds)
        {
            Clock.HandedOver(position, _rate / 10, nowSeconds);
            Volatile.Write(ref _played, position);
        }
    }
}
