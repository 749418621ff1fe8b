using System;
using System.Collections.Generic;
using System.Linq;
using Facestream.Wire;
using NUnit.Framework;

namespace Facestream.Tests
{
    /// <summary>A session against a scripted server, with a scripted clock.</summary>
    public sealed class SessionTests
    {
        private readonly FakeServer _server = new FakeServer();
        private readonly Face _face = new Face();

        [SetUp]
        public void Forget()
        {
            _server.Calls.Clear();
        }

        [Test]
        public void AudioGoesOutInWholeChunksOnceTheServerHasAnswered()
        {
            AnimationSession session = Open();
            Speak(session, 2.5);
            session.Pump(0);
            Assert.That(_server.Newest.Sent.Count, Is.EqualTo(1), "the configuration alone");
            _server.Newest.Start();
            session.Pump(0.01);
            Assert.That(_server.Newest.Sent.Count, Is.EqualTo(1 + 2), "the half chunk waits");
            session.Finish();
            session.Pump(0.02);
            Assert.That(_server.Newest.Sent.Count, Is.EqualTo(1 + 3));
            Assert.That(_server.Newest.IsFinished);
        }

        [Test]
        public void AServerThatTakesNoMoreLosesNothing()
        {
            AnimationSession session = Streaming();
            Speak(session, 3);
            _server.Newest.IsFull = true;
            session.Pump(1);
            Assert.That(session.SentSamples, Is.EqualTo(0));
            _server.Newest.IsFull = false;
            session.Pump(2);
            Assert.That(session.SentSamples, Is.EqualTo(3 * 640));
        }

        [Test]
        public void CurvesInAnotherOrderAreSortedByName()
        {
            AnimationSession session = Open();
            session.Pump(0);
            string[] reversed = ArkitCurves.Names.Reverse().ToArray();
            _server.Newest.Start(reversed);
            int seen = -1;
            session.FrameReceived += (index, row) => seen = row.Length;
            _server.Newest.Frames(0, 1, 0.5f);
            Assert.That(session.Pump(0.1), Is.EqualTo(SessionState.Streaming));
            Assert.That(seen, Is.EqualTo(64));
        }

        [Test]
        public void ABrokenStreamGoesOnWithTheNextFrameAndTwoSecondsOfAudioBefore()
        {
            AnimationSession session = Streaming();
            for (int i = 0; i < 100; i++)
            {
                Speak(session, 1);
                session.Pump(i * 0.04);
            }
            _server.Newest.Frames(0, 110, 0.5f);
            session.Pump(4);
            _server.Newest.End(new FacestreamException(FailureKind.Unavailable, "gone"));
            Assert.That(session.Pump(4), Is.EqualTo(SessionState.Reconnecting));
            Assert.That(session.Pump(4.01), Is.EqualTo(SessionState.Reconnecting), "not at once");
            Assert.That(_server.Calls.Count, Is.EqualTo(1));
            session.Pump(4.06);
            Assert.That(_server.Calls.Count, Is.EqualTo(2));
            _server.Newest.Start();
            Assert.That(session.Pump(4.07), Is.EqualTo(SessionState.Streaming));
            Dictionary<int, long> resume = Fields(Inner(Inner(_server.Newest.Sent[0], 1), 8));
            // frame 110 is at sample 58667: two seconds before, on a multiple of 800 ms
            Assert.That(resume[2], Is.EqualTo(25600));
            Assert.That(resume[3], Is.EqualTo(110));
            Assert.That(Fields(Inner(_server.Newest.Sent[1], 2))[2], Is.EqualTo(25600), "the first audio sent again");
            Assert.That(session.Resumes, Is.EqualTo(1));
            Assert.That(_server.Newest.Sent.Count, Is.EqualTo(1 + ((64000 - 25600) / 640)));
        }

        [Test]
        public void AStreamIsGivenUpAfterTenSecondsWithTheReason()
        {
            AnimationSession session = Streaming();
            var state = SessionState.Streaming;
            double now = 0;
            for (; state < SessionState.Finished && now < 60; now += 0.01)
            {
                _server.Newest.End(new FacestreamException(FailureKind.Unavailable, "nobody there"));
                state = session.Pump(now);
            }
            Assert.That(state, Is.EqualTo(SessionState.Failed));
            Assert.That(now, Is.InRange(8, 11));
            Assert.That(session.Failure.Message, Is.EqualTo("nobody there"));
            Assert.That(_server.Calls.Count, Is.InRange(10, 20));
        }

        [Test]
        public void ThreeCallsWithoutAFrameAreEnough()
        {
            AnimationSession session = Streaming();
            double now = 0;
            while (session.State < SessionState.Finished && now < 60)
            {
                _server.Newest.End(new FacestreamException(FailureKind.Unavailable, "gone again"));
                int calls = _server.Calls.Count;
                for (; session.State < SessionState.Finished && _server.Calls.Count == calls; now += 0.01)
                {
                    session.Pump(now);
                }
                if (session.State < SessionState.Finished)
                {
                    _server.Newest.Start();
                    session.Pump(now);
                }
            }
            Assert.That(session.State, Is.EqualTo(SessionState.Failed));
            Assert.That(session.Resumes, Is.EqualTo(3));
            Assert.That(now, Is.LessThan(5));
        }

        [Test]
        public void AWrongTokenIsNotTriedAgain()
        {
            AnimationSession session = Streaming();
            _server.Newest.End(new FacestreamException(FailureKind.Denied, "no"));
            Assert.That(session.Pump(1), Is.EqualTo(SessionState.Failed));
        }

        [Test]
        public void FramesOutOfOrderEndTheStreamAndTheFaceComesToRest()
        {
            AnimationSession session = Streaming();
            _server.Newest.Frames(0, 12, 0.5f);
            _server.Newest.Frames(5, 2, 0.9f);
            Assert.That(session.Pump(1), Is.EqualTo(SessionState.Failed));
            Assert.That(session.Failure.Message, Is.EqualTo("the server sent frame 5 behind frame 11; frames must come in order"));
            Assert.That(_server.Newest.IsDisposed);
            session.Playback.At(11 * 16000 / 30, _face);
            Assert.That(_face.Weights[0], Is.EqualTo(0.5f).Within(1e-6), "what came is still shown");
            session.Playback.At((11 * 16000 / 30) + (16000 * 36 / 100), _face);
            Assert.That(_face.Weights.Max(), Is.EqualTo(0));
        }

        [TestCase(51)]
        [TestCase(53)]
        public void AnotherListOfCurvesIsRefusedByName(int count)
        {
            AnimationSession session = Open();
            session.Pump(0);
            IEnumerable<string> names = ArkitCurves.Names.Concat(new[] { "earWiggle" }).Take(count);
            _server.Newest.Start(count == 51 ? ArkitCurves.Names.Take(51) : names);
            Assert.That(session.Pump(1), Is.EqualTo(SessionState.Failed));
            Assert.That(session.Failure.Message, Does.Contain(count == 51 ? "not 'tongueOut'" : "'earWiggle'"));
        }

        [Test]
        public void FramesOfAnotherWidthAreRefused()
        {
            AnimationSession session = Streaming();
            _server.Newest.Frames(0, 1, 0.5f, 51);
            Assert.That(session.Pump(1), Is.EqualTo(SessionState.Failed));
            Assert.That(session.Failure.Kind, Is.EqualTo(FailureKind.Protocol));
        }

        [Test]
        public void AServerOfAnotherVersionIsNamedAsSuch()
        {
            AnimationSession session = Open();
            session.Pump(0);
            _server.Newest.Frames(0, 1, 0.5f);
            Assert.That(session.Pump(1), Is.EqualTo(SessionState.Failed));
            Assert.That(session.Failure.Message, Does.Contain("another version of facestream.v1"));
        }

        [Test]
        public void AnyBytesEndInOneClearFailure()
        {
            var random = new Random(7);
            for (int i = 0; i < 2000; i++)
            {
                AnimationSession session = Streaming();
                var noise = new byte[random.Next(1, 60)];
                random.NextBytes(noise);
                _server.Newest.Say(noise);
                SessionState state = session.Pump(1);
                Assert.That(state == SessionState.Streaming || session.Failure.Kind == FailureKind.Protocol);
            }
        }

        [Test]
        public void AChangeIsSentAndRememberedForANewCall()
        {
            AnimationSession session = Streaming();
            session.Control(new MotionControls { MouthStrength = 0 });
            session.Pump(1);
            Assert.That(_server.Newest.Sent.Count, Is.EqualTo(2));
            Assert.That(Inner(_server.Newest.Sent[1], 3).Length, Is.GreaterThan(0));
            _server.Newest.End(new FacestreamException(FailureKind.Unavailable, "gone"));
            session.Pump(2);
            session.Pump(3);
            byte[] controls = Inner(Inner(_server.Newest.Sent[0], 1), 6);
            Assert.That(controls.Take(5), Is.EqualTo(new byte[] { 0x0D, 0, 0, 0, 0 }), "mouth_strength 0, not unset");
        }

        [Test]
        public void AudioThatWasOverwrittenIsAGap()
        {
            AnimationSession session = Streaming();
            _server.Newest.IsFull = true;
            for (int i = 0; i < 400; i++)
            {
                Speak(session, 1);
                session.Pump(i * 0.04);
            }
            _server.Newest.IsFull = false;
            session.Pump(20);
            long first = Fields(Inner(_server.Newest.Sent[1], 2))[2];
            Assert.That(first, Is.GreaterThan(0));
            Assert.That(session.SentSamples, Is.GreaterThan(400 * 640 - 640));
        }

        private AnimationSession Open()
        {
            return new AnimationSession(_server, new StreamOptions());
        }

        private AnimationSession Streaming()
        {
            AnimationSession session = Open();
            session.Pump(0);
            _server.Newest.Start();
            session.Pump(0);
            return session;
        }

        private static void Speak(AnimationSession session, double chunks)
        {
            session.Audio.Write(new float[(int)(chunks * 640)], 1);
        }

        private static byte[] Inner(byte[] message, int wanted)
        {
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                if (field == wanted)
                {
                    return reader.Bytes().ToArray();
                }
                reader.Skip();
            }
            return Array.Empty<byte>();
        }

        private static Dictionary<int, long> Fields(byte[] message)
        {
            var fields = new Dictionary<int, long>();
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                if (field == 1)
                {
                    reader.Skip();
                    continue;
                }
                fields[field] = reader.Integer();
            }
            return fields;
        }
    }
}
