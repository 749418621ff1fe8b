using System;
using System.Threading;
using System.Threading.Tasks;

namespace Facestream
{
    /// <summary>
    /// What the calls of both transports have in common: a queue each way, and how it ended. A full queue of answers holds
    /// back the network, so that a server feels a slow reader.
    /// </summary>
    internal abstract class QueuedCall : ICall
    {
        private const int OutgoingBytes = 512 * 1024;
        private const int IncomingBytes = 256 * 1024;

        private readonly MessageQueue _outgoing = new MessageQueue(OutgoingBytes);
        private readonly MessageQueue _incoming = new MessageQueue(IncomingBytes);
        private readonly AsyncSignal _sendable = new AsyncSignal();
        private readonly AsyncSignal _roomy = new AsyncSignal();
        private readonly CancellationTokenSource _cancel = new CancellationTokenSource();
        private readonly Action _wake;
        private FacestreamException _failure;
        private volatile bool _isFinished;
        private volatile bool _isDisposed;
        private volatile bool _hasEnded;

        protected QueuedCall(Action wake)
        {
            _wake = wake;
            Cancelled = _cancel.Token;
        }

        /// <summary>Falls when the call is given up here.</summary>
        protected CancellationToken Cancelled { get; }

        public bool TrySend(ReadOnlySpan<byte> message)
        {
            if (_hasEnded || !_outgoing.TryAdd(message))
            {
                return _hasEnded;
            }
            _sendable.Set();
            return true;
        }

        public void Finish()
        {
            _isFinished = true;
            _sendable.Set();
        }

        public bool TryReceive(ref byte[] buffer, out int length)
        {
            if (!_incoming.TryTake(ref buffer, 0, out length))
            {
                return false;
            }
            _roomy.Set();
            return true;
        }

        public bool HasEnded(out FacestreamException failure)
        {
            bool isOver = _hasEnded && _incoming.IsEmpty;
            failure = isOver ? _failure : null;
            return isOver;
        }

        public void Dispose()
        {
            _isDisposed = true;
            _cancel.Cancel();
            _sendable.Set();
            _roomy.Set();
        }

        /// <summary>Note how the call ended; null for well. Only the first word counts.</summary>
        protected void End(FacestreamException failure)
        {
            if (!_hasEnded)
            {
                _failure = failure;
                _hasEnded = true;
                _wake();
            }
        }

        /// <summary>
        /// The next message to send, behind <paramref name="offset"/> bytes of <paramref name="buffer"/>; false where there
        /// is none now.
        /// </summary>
        protected bool TryTakeOutgoing(ref byte[] buffer, int offset, out int length)
        {
            return _outgoing.TryTake(ref buffer, offset, out length);
        }

        /// <summary>Wait until there may be something to send; false when nothing more will be.</summary>
        protected async ValueTask<bool> WaitForOutgoing()
        {
            if (_isFinished || _isDisposed || _hasEnded)
            {
                return false;
            }
            await _sendable.WaitAsync().ConfigureAwait(false);
            return true;
        }

        /// <summary>Hand on a message that came; waits where nobody reads.</summary>
        protected ValueTask Received(ReadOnlyMemory<byte> message)
        {
            if (_incoming.TryAdd(message.Span))
            {
                _wake();
                return default;
            }
            if (!_incoming.CanEverHold(message.Length))
            {
                throw FacestreamException.Protocol($"the server sent a message of {message.Length} bytes");
            }
            return ReceivedLate(message);
        }

        private async ValueTask ReceivedLate(ReadOnlyMemory<byte> message)
        {
            while (!_incoming.TryAdd(message.Span))
            {
                await _roomy.WaitAsync().ConfigureAwait(false);
                Cancelled.ThrowIfCancellationRequested();
            }
            _wake();
        }
    }
}
