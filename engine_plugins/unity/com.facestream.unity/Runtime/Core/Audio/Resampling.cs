using System;

namespace Facestream
{
    /// <summary>Whole recordings at another rate, for playing; the server hears them at that rate, too.</summary>
    public static class Resampling
    {
        /// <summary>Interleaved audio as one channel at another rate, linear between samples.</summary>
        public static float[] ToMono(ReadOnlySpan<float> interleaved, int channels, int fromRate, int toRate)
        {
            int count = interleaved.Length / channels;
            var mono = new float[count];
            for (int i = 0; i < count; i++)
            {
                float sum = 0;
                for (int channel = 0; channel < channels; channel++)
                {
                    sum += interleaved[(i * channels) + channel];
                }
                mono[i] = sum / channels;
            }
            if (fromRate == toRate || count == 0)
            {
                return mono;
            }
            var resampled = new float[(int)((long)count * toRate / fromRate)];
            for (int i = 0; i < resampled.Length; i++)
            {
                double at = (double)i * fromRate / toRate;
                int before = Math.Min((int)at, count - 1);
                int after = Math.Min(before + 1, count - 1);
                resampled[i] = mono[before] + ((float)(at - before) * (mono[after] - mono[before]));
            }
            return resampled;
        }
    }
}
