using System;
using System.Threading;

namespace Facestream
{
    /// <summary>
    /// Audio by sample position, written by one thread that never waits (the audio thread) and read by any other. What
    /// was written a ring's length ago is gone; a reader that comes too late is told so.
    /// </summary>
    public sealed class SampleRing
    {
        private readonly float[] _samples;
        private readonly int _mask;
        private long _begun;
        private long _end;

        /// <summary>A ring of at least <paramref name="capacity"/> samples.</summary>
        public SampleRing(int capacity)
        {
            int size = 1;
            while (size < capacity)
            {
                size <<= 1;
            }
            _samples = new float[size];
            _mask = size - 1;
        }

        /// <summary>Samples held at most.</summary>
        public int Capacity => _samples.Length;

        /// <summary>Position behind the newest sample.</summary>
        public long End => Volatile.Read(ref _end);

        /// <summary>Oldest position that is surely still there, with room for what is just being written.</summary>
        public long Start => Math.Max(0, Volatile.Read(ref _begun) - _samples.Length);

        /// <summary>Append interleaved audio, its channels averaged to one; longer than the ring is not allowed.</summary>
        public void Write(ReadOnlySpan<float> interleaved, int channels)
        {
            int count = interleaved.Length / channels;
            if (count > _samples.Length)
            {
                throw FacestreamException.Invalid("interleaved", count, $"at most {_samples.Length} samples at once");
            }
            long end = _end;
            Volatile.Write(ref _begun, end + count);
            Interlocked.MemoryBarrier();
            float share = 1f / channels;
            for (int i = 0; i < count; i++)
            {
                float sum = 0;
                for (int channel = 0; channel < channels; channel++)
                {
                    sum += interleaved[(i * channels) + channel];
                }
                _samples[(int)(end + i) & _mask] = sum * share;
            }
            Volatile.Write(ref _end, end + count);
        }

        /// <summary>
        /// Copy the samples from <paramref name="first"/> on. False where they are not all there: not yet, or not any more.
        /// </summary>
        public bool TryRead(long first, Span<float> into)
        {
            if (first + into.Length > End)
            {
                return false;
            }
            for (int i = 0; i < into.Length; i++)
            {
                into[i] = _samples[(int)(first + i) & _mask];
            }
            Interlocked.MemoryBarrier();
            return first >= Start;
        }
    }
}
