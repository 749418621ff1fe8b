using System;

namespace Facestream
{
    /// <summary>
    /// Where the sound is that is audible now. Audio is handed to the device a buffer at a time, at uneven moments; in
    /// between the position runs on with the host's clock, smoothly, never backwards and never beyond what was handed over.
    /// </summary>
    public sealed class AudioClock
    {
        private const double Correction = 0.1;
        private const double LargestErrorSeconds = 0.05;

        private readonly object _gate = new object();
        private readonly double _rate;
        private readonly double _outputLatency;
        private double _estimate;
        private double _at;
        private double _handedOver;
        private double _latest;
        private bool _isRunning;

        /// <summary>
        /// A clock of audio at <paramref name="sampleRate"/> that is heard <paramref name="outputLatencySeconds"/> after it
        /// was handed over.
        /// </summary>
        public AudioClock(int sampleRate, double outputLatencySeconds)
        {
            _rate = sampleRate;
            _outputLatency = outputLatencySeconds * sampleRate;
        }

        /// <summary>A buffer of <paramref name="count"/> samples from <paramref name="first"/> on was handed over now.</summary>
        public void HandedOver(long first, int count, double nowSeconds)
        {
            lock (_gate)
            {
                double expected = _estimate + ((nowSeconds - _at) * _rate);
                double error = first - expected;
                bool isLost = !_isRunning || Math.Abs(error) > LargestErrorSeconds * _rate;
                if (isLost && first < _latest - _outputLatency)
                {
                    _latest = 0;
                }
                _estimate = isLost ? first : expected + (Correction * error);
                _at = nowSeconds;
                _handedOver = first + count;
                _isRunning = true;
            }
        }

        /// <summary>Position in samples, fractions included; negative before the first buffer is heard.</summary>
        public double At(double nowSeconds)
        {
            lock (_gate)
            {
                if (!_isRunning)
                {
                    return Math.Min(-1, -_outputLatency);
                }
                double position = Math.Min(_estimate + ((nowSeconds - _at) * _rate), _handedOver);
                _latest = Math.Max(_latest, position);
                return _latest - _outputLatency;
            }
        }
    }
}
