using System;

namespace Facestream
{
    /// <summary>Messages between two threads, in a ring of bytes that is made once.</summary>
    internal sealed class MessageQueue
    {
        private const int Prefix = 4;

        private readonly object _gate = new object();
        private readonly byte[] _ring;
        private int _head;
        private int _count;

        internal MessageQueue(int capacity)
        {
            _ring = new byte[capacity];
        }

        internal bool IsEmpty
        {
            get
            {
                lock (_gate)
                {
                    return _count == 0;
                }
            }
        }

        /// <summary>Whether a message of this length would fit into an empty queue.</summary>
        internal bool CanEverHold(int length)
        {
            return length + Prefix <= _ring.Length;
        }

        internal bool TryAdd(ReadOnlySpan<byte> message)
        {
            lock (_gate)
            {
                if (_count + Prefix + message.Length > _ring.Length)
                {
                    return false;
                }
                int tail = (_head + _count) % _ring.Length;
                for (int shift = 0; shift < 32; shift += 8)
                {
                    _ring[tail] = (byte)(message.Length >> shift);
                    tail = tail + 1 == _ring.Length ? 0 : tail + 1;
                }
                int first = Math.Min(message.Length, _ring.Length - tail);
                message.Slice(0, first).CopyTo(new Span<byte>(_ring, tail, first));
                message.Slice(first).CopyTo(_ring);
                _count += Prefix + message.Length;
                return true;
            }
        }

        /// <summary>Take the oldest message into <paramref name="buffer"/> behind <paramref name="offset"/> bytes.</summary>
        internal bool TryTake(ref byte[] buffer, int offset, out int length)
        {
            length = 0;
            lock (_gate)
            {
                if (_count == 0)
                {
                    return false;
                }
                for (int i = 0; i < Prefix; i++)
                {
                    length |= _ring[(_head + i) % _ring.Length] << (8 * i);
                }
                if (buffer.Length < offset + length)
                {
                    Array.Resize(ref buffer, Math.Max(offset + length, 2 * buffer.Length));
                }
                int start = (_head + Prefix) % _ring.Length;
                int first = Math.Min(length, _ring.Length - start);
                Buffer.BlockCopy(_ring, start, buffer, offset, first);
                Buffer.BlockCopy(_ring, 0, buffer, offset + first, length - first);
                _head = (start + length) % _ring.Length;
                _count -= Prefix + length;
                return true;
            }
        }
    }
}
