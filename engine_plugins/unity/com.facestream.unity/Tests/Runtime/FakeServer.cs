using System;
using System.Collections.Generic;
using Facestream.Wire;

namespace Facestream.Tests
{
    /// <summary>A server within the test: says what the test tells it to say, keeps what it was told.</summary>
    internal sealed class FakeServer : ITransport
    {
        internal readonly List<FakeCall> Calls = new List<FakeCall>();

        public string Server => "the server";

        internal FakeCall Newest => Calls[Calls.Count - 1];

        public ICall Open(Action wake)
        {
            Calls.Add(new FakeCall());
            return Newest;
        }

        public void Dispose()
        {
        }
    }

    /// <summary>One call of it.</summary>
    internal sealed class FakeCall : ICall
    {
        internal readonly List<byte[]> Sent = new List<byte[]>();
        internal bool IsFull;
        internal bool IsFinished;
        internal bool IsDisposed;

        private readonly Queue<byte[]> _answers = new Queue<byte[]>();
        private readonly ProtoWriter _writer = new ProtoWriter();
        private FacestreamException _failure;
        private bool _hasEnded;

        public bool TrySend(ReadOnlySpan<byte> message)
        {
            if (!IsFull)
            {
                Sent.Add(message.ToArray());
            }
            return !IsFull;
        }

        public void Finish()
        {
            IsFinished = true;
        }

        public bool TryReceive(ref byte[] buffer, out int length)
        {
            length = 0;
            if (_answers.Count == 0)
            {
                return false;
            }
            buffer = _answers.Dequeue();
            length = buffer.Length;
            return true;
        }

        public bool HasEnded(out FacestreamException failure)
        {
            failure = _failure;
            return _hasEnded && _answers.Count == 0;
        }

        public void Dispose()
        {
            IsDisposed = true;
        }

        internal void End(FacestreamException failure = null)
        {
            _failure = failure;
            _hasEnded = true;
        }

        internal void Start(IEnumerable<string> curves = null, int framesPerSecond = 30, string token = "token")
        {
            _writer.Clear();
            int started = _writer.Begin(1);
            foreach (string name in curves ?? ArkitCurves.Names)
            {
                _writer.Text(4, name);
            }
            int rate = _writer.Begin(5);
            _writer.Integer(1, (ulong)framesPerSecond);
            _writer.End(rate);
            int limits = _writer.Begin(7);
            _writer.Integer(2, 16000);
            _writer.End(limits);
            _writer.Text(8, token);
            _writer.End(started);
            Answer();
        }

        /// <summary>Frames whose weights are all the same.</summary>
        internal void Frames(long first, int count, float weight, int curves = ArkitCurves.Count)
        {
            _writer.Clear();
            int frames = _writer.Begin(2);
            _writer.Integer(1, (ulong)first);
            _writer.Integer(2, (ulong)count);
            int bytes = 4 * count * curves;
            _writer.Bytes(3, bytes);
            for (int i = 0; i < count * curves; i++)
            {
                BitConverter.TryWriteBytes(_writer.Last(bytes).Slice(4 * i, 4), weight);
            }
            _writer.End(frames);
            Answer();
        }

        internal void Say(params byte[] anything)
        {
            _answers.Enqueue(anything);
        }

        private void Answer()
        {
            _answers.Enqueue(_writer.Written.ToArray());
        }
    }
}
