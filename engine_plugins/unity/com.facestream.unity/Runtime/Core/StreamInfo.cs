namespace Facestream
{
    /// <summary>What the server said when the stream opened.</summary>
    public sealed class StreamInfo
    {
        /// <summary>Names this stream in the server's log.</summary>
        public string StreamId = "";

        /// <summary>Model that answers.</summary>
        public string Model = "";

        /// <summary>Version of that model.</summary>
        public string ModelVersion = "";

        /// <summary>Columns of every frame, in the server's order.</summary>
        public string[] CurveNames = { };

        /// <summary>Frames in <see cref="FrameRateDenominator"/> seconds.</summary>
        public int FrameRateNumerator;

        /// <summary>Seconds that so many frames last.</summary>
        public int FrameRateDenominator = 1;

        /// <summary>A frame needs this much audio behind its own sample, in samples.</summary>
        public long LatencySamples;

        /// <summary>Longest chunk of one message, samples.</summary>
        public int ChunkSamples;

        /// <summary>Longest message, bytes.</summary>
        public int MessageBytes;

        /// <summary>Seed in use.</summary>
        public ulong Seed;

        /// <summary>Continues this stream on another call.</summary>
        public string ResumeToken = "";
    }
}
