namespace Facestream
{
    /// <summary>What happens to frames that arrive faster than they are read.</summary>
    public enum SlowReader
    {
        /// <summary>The oldest unsent ones are dropped: what arrives stays live.</summary>
        DropOldest = 1,

        /// <summary>None is lost; the server takes no more audio until they are read. For recordings.</summary>
        Wait = 2,
    }

    /// <summary>What the face does beyond following the audio. What is null stays as it is.</summary>
    public sealed class MotionControls
    {
        /// <summary>Gain of the mouth's movement, 0 to 2; a stream starts with 1.</summary>
        public float? MouthStrength;

        /// <summary>Blinks; a stream starts with them.</summary>
        public bool? Blinks;

        /// <summary>Small eye movements; a stream starts with them.</summary>
        public bool? Gaze;

        /// <summary>A preset of a model that acts; empty for the emotion that is heard.</summary>
        public string Emotion;

        /// <summary>How far chance moves the emotion, 0 to 4 standard deviations.</summary>
        public float? EmotionSpread;

        /// <summary>A speaker of a model that acts.</summary>
        public string Speaker;

        /// <summary>A style of a model with styles; empty for nobody's.</summary>
        public string Style;

        /// <summary>How strongly, 0 to 2.</summary>
        public float? StyleStrength;

        /// <summary>Rotation of the head times this, 0 to 2.</summary>
        public float? HeadAmount;

        /// <summary>Takes over what the later one sets.</summary>
        public void Merge(MotionControls later)
        {
            MouthStrength = later.MouthStrength ?? MouthStrength;
            Blinks = later.Blinks ?? Blinks;
            Gaze = later.Gaze ?? Gaze;
            Emotion = later.Emotion ?? Emotion;
            EmotionSpread = later.EmotionSpread ?? EmotionSpread;
            Speaker = later.Speaker ?? Speaker;
            Style = later.Style ?? Style;
            StyleStrength = later.StyleStrength ?? StyleStrength;
            HeadAmount = later.HeadAmount ?? HeadAmount;
        }
    }

    /// <summary>What is asked of a stream. Audio is one channel of 16-bit samples.</summary>
    public sealed class StreamOptions
    {
        /// <summary>Samples a second of the audio, 8000 to 48000.</summary>
        public int SampleRate = 16000;

        /// <summary>Frames in <see cref="FrameRateDenominator"/> seconds; 24 to 60 a second.</summary>
        public int FrameRateNumerator = 30;

        /// <summary>1, or 1001 for the rates of film.</summary>
        public int FrameRateDenominator = 1;

        /// <summary>A model of the server; empty for its first.</summary>
        public string Model = "";

        /// <summary>Equal seeds and audio give equal frames; null lets the server choose.</summary>
        public ulong? Seed;

        /// <summary>What to do when frames are not read in time.</summary>
        public SlowReader SlowReader = SlowReader.DropOldest;

        /// <summary>Longest audio in one message, milliseconds, 10 to 500. 40 suits a microphone.</summary>
        public int ChunkMilliseconds = 40;

        /// <summary>What the motion starts with.</summary>
        public MotionControls Controls = new MotionControls();

        /// <summary>Whether a lost connection is replaced by a new one that continues with the next frame.</summary>
        public bool Resume = true;

        /// <summary>Clock of the frames.</summary>
        public FrameClock Clock => new FrameClock(FrameRateNumerator, FrameRateDenominator, SampleRate);

        /// <summary>Raises <see cref="FacestreamException"/> for the first value out of its range.</summary>
        public void Check()
        {
            if (SampleRate < 8000 || SampleRate > 48000)
            {
                throw FacestreamException.Invalid("SampleRate", SampleRate, "8000 to 48000 Hz");
            }
            double framesPerSecond = FrameRateDenominator > 0 ? (double)FrameRateNumerator / FrameRateDenominator : 0;
            if (framesPerSecond < 23.9 || framesPerSecond > 60)
            {
                string received = $"{FrameRateNumerator}/{FrameRateDenominator}";
                throw FacestreamException.Invalid("FrameRate", received, "24 to 60 a second, for example 30/1");
            }
            if (ChunkMilliseconds < 10 || ChunkMilliseconds > 500)
            {
                throw FacestreamException.Invalid("ChunkMilliseconds", ChunkMilliseconds, "10 to 500");
            }
            CheckRange("MouthStrength", Controls.MouthStrength, 2);
            CheckRange("EmotionSpread", Controls.EmotionSpread, 4);
            CheckRange("StyleStrength", Controls.StyleStrength, 2);
            CheckRange("HeadAmount", Controls.HeadAmount, 2);
        }

        private static void CheckRange(string field, float? value, float most)
        {
            if (value.HasValue && !(value.Value >= 0 && value.Value <= most))
            {
                throw FacestreamException.Invalid(field, value.Value, $"0 to {most}");
            }
        }
    }
}
