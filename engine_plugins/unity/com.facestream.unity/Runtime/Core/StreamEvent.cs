namespace Facestream
{
    /// <summary>Kinds of <see cref="StreamEvent"/>.</summary>
    public enum StreamEventKind
    {
        /// <summary>One that only a newer server knows.</summary>
        Unknown,

        /// <summary>Audio was missing: First and Count in samples.</summary>
        Gap,

        /// <summary>Frames were dropped, because they were not read in time: First and Count in frames.</summary>
        FramesDropped,

        /// <summary>A voice begins, at sample First.</summary>
        SpeechStarted,

        /// <summary>A voice has ended, at sample First.</summary>
        SpeechEnded,

        /// <summary>Audio is sent faster than it is spoken, by Count samples.</summary>
        AheadOfRealTime,

        /// <summary>The server will end the call in Count milliseconds.</summary>
        GoingAway,
    }

    /// <summary>Something that happened to a stream; it stands between the frames where it belongs.</summary>
    public readonly struct StreamEvent
    {
        /// <summary>What happened.</summary>
        public readonly StreamEventKind Kind;

        /// <summary>Where; see the kind.</summary>
        public readonly long First;

        /// <summary>How much; see the kind.</summary>
        public readonly long Count;

        /// <summary>An event.</summary>
        public StreamEvent(StreamEventKind kind, long first, long count)
        {
            Kind = kind;
            First = first;
            Count = count;
        }
    }
}
