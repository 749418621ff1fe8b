using System;

namespace Facestream
{
    /// <summary>The newest audio that was sent, by sample position, to be sent again when the stream breaks.</summary>
    public sealed class AudioHistory
    {
        private readonly byte[] _ring;
        private readonly int _capacity;
        private long _start;
        private long _end;

        /// <summary>Keeps at most <paramref name="longestSamples"/>.</summary>
        public AudioHistory(int longestSamples)
        {
            _capacity = longestSamples;
            _ring = new byte[longestSamples * Pcm16.BytesPerSample];
        }

        /// <summary>Oldest sample held.</summary>
        public long Start => _start;

        /// <summary>Sample behind the newest one held.</summary>
        public long End => _end;

        /// <summary>Take over what was sent; silence stands for a gap before it, as on the server.</summary>
        public void Add(long firstSample, ReadOnlySpan<byte> data)
        {
            int silence = (int)Math.Min(firstSample - _end, _capacity);
            _end = firstSample - silence;
            for (int i = 0; i < silence; i++)
            {
                SlotOf(_end++).Clear();
            }
            for (int i = 0; i < data.Length; i += Pcm16.BytesPerSample)
            {
                data.Slice(i, Pcm16.BytesPerSample).CopyTo(SlotOf(_end++));
            }
            _start = Math.Max(_start, _end - _capacity);
        }

        /// <summary>Copy what was sent from <paramref name="firstSample"/> on, which must be held.</summary>
        public void Read(long firstSample, Span<byte> into)
        {
            for (int i = 0; i < into.Length; i += Pcm16.BytesPerSample)
            {
                SlotOf(firstSample++).CopyTo(into.Slice(i, Pcm16.BytesPerSample));
            }
        }

        private Span<byte> SlotOf(long sample)
        {
            int slot = (int)(sample % _capacity) * Pcm16.BytesPerSample;
            return new Span<byte>(_ring, slot, Pcm16.BytesPerSample);
        }
    }
}
