using System;

namespace Facestream
{
    /// <summary>
    /// The jitter buffer: takes frames as they come and answers for any position of the audio clock. One thread may add
    /// while another asks.
    /// </summary>
    /// <remarks>
    /// Between two frames weights are linear and rotations take the shorter arc. Behind the last frame the face holds for
    /// <see cref="HoldMilliseconds"/>, then eases to rest within <see cref="RestMilliseconds"/>; when frames are back it
    /// blends to them within <see cref="RejoinMilliseconds"/>. Nothing is allocated after construction.
    /// </remarks>
    public sealed class PlaybackClock
    {
        /// <summary>How long a face stands when frames are missing.</summary>
        public const double HoldMilliseconds = 100;

        /// <summary>How long it then takes to rest.</summary>
        public const double RestMilliseconds = 250;

        /// <summary>How long it takes to join frames that are back.</summary>
        public const double RejoinMilliseconds = 80;

        private readonly object _gate = new object();
        private readonly FrameClock _clock;
        private readonly double _hold;
        private readonly double _rest;
        private readonly double _rejoin;
        private readonly float[] _rows;
        private readonly long[] _indices;
        private readonly float[] _neutral = new float[FrameRow.Width];
        private readonly float[] _current = new float[FrameRow.Width];
        private readonly float[] _shown = new float[FrameRow.Width];
        private readonly float[] _rejoinFrom = new float[FrameRow.Width];
        private double _rejoinAt;
        private bool _isRejoining;
        private bool _wasStarved;
        private int _head;
        private int _count;

        /// <summary>A buffer of at most <paramref name="seconds"/> of frames; the oldest give way.</summary>
        public PlaybackClock(FrameClock clock, double seconds = 8)
        {
            _clock = clock;
            double perMillisecond = clock.FramesPerSecond / 1000;
            _hold = HoldMilliseconds * perMillisecond;
            _rest = RestMilliseconds * perMillisecond;
            _rejoin = RejoinMilliseconds * perMillisecond;
            _indices = new long[(int)Math.Ceiling(seconds * clock.FramesPerSecond) + 2];
            _rows = new float[_indices.Length * FrameRow.Width];
            FrameRow.Rest(_neutral);
            FrameRow.Rest(_shown);
        }

        /// <summary>Frames held.</summary>
        public int BufferedFrames
        {
            get
            {
                lock (_gate)
                {
                    return _count;
                }
            }
        }

        /// <summary>How much audio, in seconds, frames are there for beyond a position; negative when starved.</summary>
        public double SecondsAhead(double sample)
        {
            lock (_gate)
            {
                double newest = _count > 0 ? _indices[SlotAt(_count - 1)] : 0;
                return (newest - _clock.FrameAt(sample)) / _clock.FramesPerSecond;
            }
        }

        /// <summary>Take over a frame as a row of 52 weights and 12 numbers of rotation. Frames are never replaced: one at
        /// or before the newest is ignored.</summary>
        public void Add(long index, ReadOnlySpan<float> row)
        {
            lock (_gate)
            {
                if (_count > 0 && index <= _indices[SlotAt(_count - 1)])
                {
                    return;
                }
                if (_count == _indices.Length)
                {
                    Forget(1);
                }
                int slot = SlotAt(_count);
                _indices[slot] = index;
                row.CopyTo(new Span<float>(_rows, slot * FrameRow.Width, FrameRow.Width));
                _count++;
            }
        }

        /// <summary>The face for a position of the audio clock, in samples. Positions are expected to advance.</summary>
        public void At(double sample, Face face)
        {
            double position = _clock.FrameAt(sample);
            lock (_gate)
            {
                ForgetBefore(position);
                bool isStarved = Compute(position);
                Rejoin(position, isStarved);
                _current.CopyTo(_shown, 0);
                _wasStarved = isStarved;
                face.IsStarved = isStarved;
                Array.Copy(_current, face.Weights, FrameRow.Weights);
                Array.Copy(_current, FrameRow.Weights, face.Rotations, 0, face.Rotations.Length);
            }
        }

        private bool Compute(double position)
        {
            if (_count == 0 || position < _indices[SlotAt(0)])
            {
                _neutral.CopyTo(_current, 0);
                return true;
            }
            double age = position - _indices[SlotAt(0)];
            if (_count > 1)
            {
                long step = _indices[SlotAt(1)] - _indices[SlotAt(0)];
                if (step == 1 || step <= _hold)
                {
                    FrameRow.Between(Row(0), Row(1), (float)(age / step), _current);
                    return false;
                }
            }
            if (age <= 1)
            {
                Row(0).CopyTo(_current);
                return false;
            }
            double eased = Math.Min(1, Math.Max(0, (age - _hold) / _rest));
            FrameRow.Between(Row(0), _neutral, (float)(eased * eased * (3 - (2 * eased))), _current);
            return true;
        }

        private void Rejoin(double position, bool isStarved)
        {
            if (_wasStarved && !isStarved)
            {
                _shown.CopyTo(_rejoinFrom, 0);
                _rejoinAt = position;
                _isRejoining = true;
            }
            if (!_isRejoining || isStarved)
            {
                return;
            }
            double share = (position - _rejoinAt) / _rejoin;
            if (share < 0 || share >= 1)
            {
                _isRejoining = false;
                return;
            }
            FrameRow.Between(_rejoinFrom, _current, (float)share, _current);
        }

        private void ForgetBefore(double position)
        {
            int passed = 0;
            while (passed + 1 < _count && _indices[SlotAt(passed + 1)] <= position)
            {
                passed++;
            }
            Forget(passed);
        }

        private void Forget(int count)
        {
            _head = SlotAt(count);
            _count -= count;
        }

        private int SlotAt(int place)
        {
            int slot = _head + place;
            return slot < _indices.Length ? slot : slot - _indices.Length;
        }

        private ReadOnlySpan<float> Row(int place)
        {
            return new ReadOnlySpan<float>(_rows, SlotAt(place) * FrameRow.Width, FrameRow.Width);
        }
    }
}
