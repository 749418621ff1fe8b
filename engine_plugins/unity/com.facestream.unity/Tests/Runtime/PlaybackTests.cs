using System;
using NUnit.Framework;

namespace Facestream.Tests
{
    /// <summary>The jitter buffer and the audio clock.</summary>
    public sealed class PlaybackTests
    {
        private static readonly FrameClock Clock = new FrameClock(30, 1, 16000);

        private readonly Face _face = new Face();

        [Test]
        public void NothingOfAFrameIsSeenBeforeTheOneBeforeIt()
        {
            var playback = new PlaybackClock(Clock);
            Add(playback, 0, 0);
            Add(playback, 1, 1);
            playback.At(0, _face);
            Assert.That(_face.Weights[0], Is.EqualTo(0));
            playback.At(16000 / 60.0, _face);
            Assert.That(_face.Weights[0], Is.EqualTo(0.5f).Within(0.51), "while it joins");
            Assert.That(_face.IsStarved, Is.False);
        }

        [Test]
        public void AStarvedFaceHoldsThenRestsThenJoins()
        {
            var playback = new PlaybackClock(Clock);
            for (int i = 0; i < 10; i++)
            {
                Add(playback, i, 1);
            }
            double last = Clock.SampleOf(9);
            for (double sample = 0; sample <= last; sample += 100)
            {
                playback.At(sample, _face);
            }
            Assert.That(Shown(playback, last), Is.EqualTo(1));
            Assert.That(Shown(playback, last + 1600), Is.EqualTo(1).Within(1e-5), "100 ms of hold");
            Assert.That(Shown(playback, last + 1600 + 2000), Is.EqualTo(0.5).Within(1e-3), "half of 250 ms");
            Assert.That(Shown(playback, last + 1600 + 4000), Is.EqualTo(0));
            Assert.That(_face.IsStarved);
            for (int i = 30; i < 40; i++)
            {
                Add(playback, i, 1);
            }
            double back = Clock.SampleOf(30);
            Assert.That(Shown(playback, back), Is.EqualTo(0).Within(1e-5), "no jump");
            Assert.That(Shown(playback, back + 640), Is.EqualTo(0.5).Within(1e-3));
            Assert.That(Shown(playback, back + 1300), Is.EqualTo(1));
        }

        [Test]
        public void AFrameIsNeverReplaced()
        {
            var playback = new PlaybackClock(Clock);
            Add(playback, 3, 0.25f);
            Add(playback, 3, 1);
            Add(playback, 2, 1);
            Assert.That(playback.BufferedFrames, Is.EqualTo(1));
            Assert.That(Shown(playback, Clock.SampleOf(3) + 1), Is.InRange(0, 0.25));
        }

        [Test]
        public void AFullBufferLosesItsOldest()
        {
            var playback = new PlaybackClock(Clock, 1);
            for (int i = 0; i < 1000; i++)
            {
                Add(playback, i, i / 1000f);
            }
            Assert.That(playback.BufferedFrames, Is.EqualTo(32));
            Assert.That(playback.SecondsAhead(Clock.SampleOf(969)), Is.EqualTo(1).Within(0.01));
        }

        [Test]
        public void SampleOfAFrameIsExact()
        {
            var film = new FrameClock(30000, 1001, 44100);
            Assert.That(film.SampleOf(0), Is.EqualTo(0));
            Assert.That(film.SampleOf(1), Is.EqualTo(1472));
            Assert.That(film.SampleOf(30000), Is.EqualTo(1001L * 44100));
            Assert.That(film.SampleOf(2592000), Is.EqualTo(3814050240L), "a day of frames");
        }

        [Test]
        public void TheAudioClockIsSmoothAndNeverAheadOfWhatWasHandedOver()
        {
            var random = new Random(3);
            var clock = new AudioClock(48000, 0.02);
            double before = double.NegativeInfinity;
            double handed = 0;
            double worst = 0;
            int next = 0;
            for (double now = 0; now < 20; now += 1 / 120.0)
            {
                while (next * 1024 / 48000.0 <= now)
                {
                    double late = random.NextDouble() * 0.004;
                    clock.HandedOver(next * 1024L, 1024, (next * 1024 / 48000.0) + late);
                    next++;
                    handed = next * 1024;
                }
                double position = clock.At(now);
                Assert.That(position, Is.GreaterThanOrEqualTo(before));
                Assert.That(position, Is.LessThanOrEqualTo(handed));
                before = position;
                worst = now < 1 ? 0 : Math.Max(worst, Math.Abs(position + 960 - (now * 48000)));
            }
            Assert.That(worst / 48000, Is.LessThan(0.006), "milliseconds of the truth");
        }

        private static void Add(PlaybackClock playback, long index, float weight)
        {
            var row = new float[64];
            Array.Fill(row, weight, 0, 52);
            row[55] = row[59] = row[63] = 1;
            playback.Add(index, row);
        }

        private float Shown(PlaybackClock playback, double sample)
        {
            playback.At(sample, _face);
            return _face.Weights[17];
        }
    }
}
