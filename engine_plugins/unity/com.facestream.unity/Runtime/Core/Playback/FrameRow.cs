using System;

namespace Facestream
{
    /// <summary>How a frame is kept: 52 weights, then the rotations of head, left and right eye.</summary>
    internal static class FrameRow
    {
        internal const int Weights = ArkitCurves.Count;
        internal const int Width = Weights + 12;

        internal static void Rest(Span<float> row)
        {
            row.Clear();
            row[Weights + 3] = row[Weights + 7] = row[Weights + 11] = 1f;
        }

        /// <summary>Between two rows: weights linearly, rotations along the shorter arc and normalised.</summary>
        internal static void Between(ReadOnlySpan<float> first, ReadOnlySpan<float> second, float share, Span<float> into)
        {
            for (int i = 0; i < Weights; i++)
            {
                into[i] = first[i] + (share * (second[i] - first[i]));
            }
            for (int start = Weights; start < Width; start += 4)
            {
                float dot = 0;
                for (int i = start; i < start + 4; i++)
                {
                    dot += first[i] * second[i];
                }
                float sign = dot >= 0 ? 1f : -1f;
                float square = 0;
                for (int i = start; i < start + 4; i++)
                {
                    into[i] = first[i] + (share * ((sign * second[i]) - first[i]));
                    square += into[i] * into[i];
                }
                float scale = 1f / Math.Max(MathF.Sqrt(square), 1e-9f);
                for (int i = start; i < start + 4; i++)
                {
                    into[i] *= scale;
                }
            }
        }
    }
}
