using System;
using System.Collections.Generic;

namespace Facestream.Wire
{
    /// <summary>A run of consecutive frames where it lies in the message; numbers are packed floats.</summary>
    public ref struct FrameRun
    {
        /// <summary>Index of the first frame.</summary>
        public long First;

        /// <summary>Frames.</summary>
        public int Count;

        /// <summary>Count rows of the stream's curves.</summary>
        public ReadOnlySpan<byte> Weights;

        /// <summary>A quaternion x y z w for each frame; empty where the model has no pose. The eyes' alike.</summary>
        public ReadOnlySpan<byte> Head;

        /// <summary>See <see cref="Head"/>.</summary>
        public ReadOnlySpan<byte> LeftEye;

        /// <summary>See <see cref="Head"/>.</summary>
        public ReadOnlySpan<byte> RightEye;
    }

    /// <summary>Takes what a server says.</summary>
    public interface IResponseSink
    {
        /// <summary>The first message of an answer.</summary>
        void OnStarted(StreamInfo info);

        /// <summary>The next frames; they are gone when this returns.</summary>
        void OnFrames(in FrameRun run);

        /// <summary>Something happened.</summary>
        void OnEvent(in StreamEvent what);
    }

    /// <summary>The messages of a server: <c>AnimateResponse</c> of animation_service.proto.</summary>
    public static class Responses
    {
        /// <summary>Hand one message to <paramref name="sink"/>; kinds that only a newer server knows are left out.</summary>
        public static void Read(ReadOnlySpan<byte> message, IResponseSink sink)
        {
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 1:
                        sink.OnStarted(Started(reader.Bytes()));
                        break;
                    case 2:
                        FrameRun run = Frames(reader.Bytes());
                        sink.OnFrames(run);
                        break;
                    case 3:
                        sink.OnEvent(Event(reader.Bytes()));
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }

        private static FrameRun Frames(ReadOnlySpan<byte> message)
        {
            var run = default(FrameRun);
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 1:
                        run.First = reader.Integer();
                        break;
                    case 2:
                        run.Count = (int)reader.Integer();
                        break;
                    case 3:
                        run.Weights = reader.Bytes();
                        break;
                    case 4:
                        run.Head = reader.Bytes();
                        break;
                    case 5:
                        run.LeftEye = reader.Bytes();
                        break;
                    case 6:
                        run.RightEye = reader.Bytes();
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
            return run;
        }

        private static StreamInfo Started(ReadOnlySpan<byte> message)
        {
            var info = new StreamInfo();
            var names = new List<string>();
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 1:
                        info.StreamId = reader.Text();
                        break;
                    case 2:
                        info.Model = reader.Text();
                        break;
                    case 3:
                        info.ModelVersion = reader.Text();
                        break;
                    case 4:
                        names.Add(reader.Text());
                        break;
                    case 5:
                        ReadOnlySpan<byte> rate = reader.Bytes();
                        info.FrameRateNumerator = (int)NumberIn(rate, 1, 0);
                        info.FrameRateDenominator = (int)NumberIn(rate, 2, 1);
                        break;
                    case 6:
                        info.LatencySamples = reader.Integer();
                        break;
                    case 7:
                        ReadOnlySpan<byte> limits = reader.Bytes();
                        info.MessageBytes = (int)NumberIn(limits, 1, 0);
                        info.ChunkSamples = (int)NumberIn(limits, 2, 0);
                        break;
                    case 8:
                        info.ResumeToken = reader.Text();
                        break;
                    case 9:
                        info.Seed = (ulong)reader.Integer();
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
            info.CurveNames = names.ToArray();
            return info;
        }

        private static StreamEvent Event(ReadOnlySpan<byte> message)
        {
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 2:
                        return Span(StreamEventKind.Gap, reader.Bytes());
                    case 3:
                        return Span(StreamEventKind.FramesDropped, reader.Bytes());
                    case 4:
                        return Span(StreamEventKind.SpeechStarted, reader.Bytes());
                    case 5:
                        return Span(StreamEventKind.SpeechEnded, reader.Bytes());
                    case 6:
                        long ahead = NumberIn(reader.Bytes(), 1, 0);
                        return new StreamEvent(StreamEventKind.AheadOfRealTime, 0, ahead);
                    case 7:
                        return new StreamEvent(StreamEventKind.GoingAway, 0, TimeLeft(reader.Bytes()));
                    default:
                        reader.Skip();
                        break;
                }
            }
            return new StreamEvent(StreamEventKind.Unknown, 0, 0);
        }

        private static StreamEvent Span(StreamEventKind kind, ReadOnlySpan<byte> message)
        {
            return new StreamEvent(kind, NumberIn(message, 1, 0), NumberIn(message, 2, 0));
        }

        private static long TimeLeft(ReadOnlySpan<byte> goingAway)
        {
            var reader = new ProtoReader(goingAway);
            while (reader.Next(out int field))
            {
                if (field == 2)
                {
                    return Durations.Milliseconds(reader.Bytes());
                }
                reader.Skip();
            }
            return 0;
        }

        private static long NumberIn(ReadOnlySpan<byte> message, int wanted, long otherwise)
        {
            long value = otherwise;
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                if (field == wanted)
                {
                    value = reader.Integer();
                }
                else
                {
                    reader.Skip();
                }
            }
            return value;
        }
    }
}
