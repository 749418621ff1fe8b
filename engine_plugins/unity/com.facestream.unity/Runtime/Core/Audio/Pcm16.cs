using System;

namespace Facestream
{
    /// <summary>Audio as the wire carries it: 16-bit little-endian.</summary>
    public static class Pcm16
    {
        /// <summary>Bytes of a sample.</summary>
        public const int BytesPerSample = 2;

        /// <summary>Floats of -1..1 as bytes; NaN is silence, what is beyond is cut.</summary>
        public static void Encode(ReadOnlySpan<float> samples, Span<byte> into)
        {
            for (int i = 0; i < samples.Length; i++)
            {
                float scaled = MathF.Round(samples[i] * 32768f);
                float kept = float.IsNaN(scaled) ? 0 : Math.Min(32767f, Math.Max(-32768f, scaled));
                int value = (int)kept;
                into[2 * i] = (byte)value;
                into[(2 * i) + 1] = (byte)(value >> 8);
            }
        }
    }
}
