using System;

namespace Facestream.Wire
{
    /// <summary>The messages of a client: <c>AnimateRequest</c> of animation_service.proto.</summary>
    public static class Requests
    {
        private const int S16LittleEndian = 1;

        /// <summary>The first message of a call that begins a stream, or with a token continues one.</summary>
        public static void Config(
            ProtoWriter to, StreamOptions options, string resumeToken, long firstSample, long firstFrame)
        {
            to.Clear();
            int config = to.Begin(1);
            to.Text(1, options.Model);
            int format = to.Begin(2);
            to.Integer(1, S16LittleEndian);
            to.Integer(2, (ulong)options.SampleRate);
            to.Integer(3, 1);
            to.End(format);
            int rate = to.Begin(3);
            to.Integer(1, (ulong)options.FrameRateNumerator);
            to.Integer(2, (ulong)options.FrameRateDenominator);
            to.End(rate);
            to.Text(4, "arkit52");
            if (options.Seed.HasValue)
            {
                to.Integer(5, options.Seed.Value);
            }
            Controls(to, 6, options.Controls);
            to.Integer(7, (ulong)options.SlowReader);
            if (resumeToken != null)
            {
                int resume = to.Begin(8);
                to.Text(1, resumeToken);
                to.Integer(2, (ulong)firstSample);
                to.Integer(3, (ulong)firstFrame);
                to.End(resume);
            }
            to.End(config);
        }

        /// <summary>
        /// Audio of so many bytes, to be filled in by the caller before anything else is written. It stands behind the
        /// audio before it unless a position is given; -1 for none.
        /// </summary>
        public static Span<byte> Audio(ProtoWriter to, int bytes, long firstSample)
        {
            to.Clear();
            int audio = to.Begin(2);
            if (firstSample >= 0)
            {
                to.Integer(2, (ulong)firstSample);
            }
            to.Bytes(1, bytes);
            to.End(audio);
            return to.Last(bytes);
        }

        /// <summary>A change of the motion, from the next sample sent.</summary>
        public static void Control(ProtoWriter to, MotionControls controls)
        {
            to.Clear();
            int control = to.Begin(3);
            Controls(to, 2, controls);
            to.End(control);
        }

        private static void Controls(ProtoWriter to, int field, MotionControls controls)
        {
            int start = to.Begin(field);
            OptionalSingle(to, 1, controls.MouthStrength);
            OptionalBoolean(to, 2, controls.Blinks);
            OptionalBoolean(to, 3, controls.Gaze);
            bool styling = controls.Style != null || controls.StyleStrength.HasValue || controls.HeadAmount.HasValue;
            bool acting = controls.Emotion != null || controls.EmotionSpread.HasValue || controls.Speaker != null;
            if (acting || styling)
            {
                Acting(to, 4, controls, styling);
            }
            to.End(start);
        }

        private static void Acting(ProtoWriter to, int field, MotionControls controls, bool styling)
        {
            int start = to.Begin(field);
            if (controls.Emotion != null && controls.Emotion.Length == 0)
            {
                to.End(to.Begin(1));
            }
            else if (controls.Emotion != null)
            {
                to.Text(3, controls.Emotion);
            }
            OptionalSingle(to, 4, controls.EmotionSpread);
            if (controls.Speaker != null)
            {
                to.Text(7, controls.Speaker);
            }
            if (styling)
            {
                int style = to.Begin(8);
                if (controls.Style != null && controls.Style.Length == 0)
                {
                    to.End(to.Begin(1));
                }
                else if (controls.Style != null)
                {
                    to.Text(2, controls.Style);
                }
                OptionalSingle(to, 5, controls.StyleStrength);
                OptionalSingle(to, 6, controls.HeadAmount);
                to.End(style);
            }
            to.End(start);
        }

        private static void OptionalSingle(ProtoWriter to, int field, float? value)
        {
            if (value.HasValue)
            {
                to.Single(field, value.Value);
            }
        }

        private static void OptionalBoolean(ProtoWriter to, int field, bool? value)
        {
            if (value.HasValue)
            {
                to.Boolean(field, value.Value);
            }
        }
    }
}
