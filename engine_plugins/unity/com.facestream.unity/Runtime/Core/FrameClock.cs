namespace Facestream
{
    /// <summary>
    /// Maps frames to samples of the audio, exactly: frame i belongs to sample ceil(i * rate * denominator / numerator).
    /// </summary>
    public readonly struct FrameClock
    {
        /// <summary>Frames in <see cref="Denominator"/> seconds.</summary>
        public readonly int Numerator;

        /// <summary>Seconds that <see cref="Numerator"/> frames last.</summary>
        public readonly int Denominator;

        /// <summary>Samples a second of the audio.</summary>
        public readonly int SampleRate;

        /// <summary>A clock of <c>numerator / denominator</c> frames a second.</summary>
        public FrameClock(int numerator, int denominator, int sampleRate)
        {
            Numerator = numerator;
            Denominator = denominator;
            SampleRate = sampleRate;
        }

        /// <summary>Frames a second.</summary>
        public double FramesPerSecond => (double)Numerator / Denominator;

        /// <summary>First sample at or after the frame's time.</summary>
        public long SampleOf(long frame)
        {
            long exact = frame * SampleRate * Denominator;
            long whole = exact / Numerator;
            return exact > 0 && exact % Numerator != 0 ? whole + 1 : whole;
        }

        /// <summary>Position among the frames, fractions included, at a sample.</summary>
        public double FrameAt(double sample)
        {
            return sample * Numerator / ((double)SampleRate * Denominator);
        }
    }
}
