using System;
using System.Text;

namespace Facestream.Wire
{
    /// <summary>Writes protobuf fields into a buffer that is used again for every message.</summary>
    public sealed class ProtoWriter
    {
        private const int VarintBytes = 10;

        private byte[] _buffer = new byte[1024];
        private int _length;

        /// <summary>What was written since <see cref="Clear"/>.</summary>
        public ReadOnlySpan<byte> Written => new ReadOnlySpan<byte>(_buffer, 0, _length);

        /// <summary>Begin the next message.</summary>
        public void Clear()
        {
            _length = 0;
        }

        /// <summary>A varint field: integers and enumerations.</summary>
        public void Integer(int field, ulong value)
        {
            Tag(field, WireType.Varint);
            Varint(value);
        }

        /// <summary>A boolean field.</summary>
        public void Boolean(int field, bool value)
        {
            Integer(field, value ? 1UL : 0UL);
        }

        /// <summary>A float field.</summary>
        public void Single(int field, float value)
        {
            Tag(field, WireType.Fixed32);
            Reserve(4);
            int bits = BitConverter.SingleToInt32Bits(value);
            for (int shift = 0; shift < 32; shift += 8)
            {
                _buffer[_length++] = (byte)(bits >> shift);
            }
        }

        /// <summary>A string field.</summary>
        public void Text(int field, string value)
        {
            int count = Encoding.UTF8.GetByteCount(value);
            Tag(field, WireType.Bytes);
            Varint((ulong)count);
            Reserve(count);
            _length += Encoding.UTF8.GetBytes(value, 0, value.Length, _buffer, _length);
        }

        /// <summary>A bytes field of so many bytes, to be filled in through <see cref="Last"/>.</summary>
        public void Bytes(int field, int count)
        {
            Tag(field, WireType.Bytes);
            Varint((ulong)count);
            Reserve(count);
            _length += count;
        }

        /// <summary>The newest <paramref name="count"/> bytes, where they may be changed.</summary>
        public Span<byte> Last(int count)
        {
            return new Span<byte>(_buffer, _length - count, count);
        }

        /// <summary>Begin a message field; what is written until <see cref="End"/> is its content.</summary>
        public int Begin(int field)
        {
            Tag(field, WireType.Bytes);
            return _length;
        }

        /// <summary>End the message field that began at <paramref name="start"/>: its length goes before its content.</summary>
        public void End(int start)
        {
            int count = _length - start;
            int prefix = 1;
            for (int rest = count >> 7; rest != 0; rest >>= 7)
            {
                prefix++;
            }
            Reserve(prefix);
            Buffer.BlockCopy(_buffer, start, _buffer, start + prefix, count);
            _length = start;
            Varint((ulong)count);
            _length += count;
        }

        private void Tag(int field, WireType type)
        {
            Varint((ulong)((field << 3) | (int)type));
        }

        private void Varint(ulong value)
        {
            Reserve(VarintBytes);
            while (value >= 0x80)
            {
                _buffer[_length++] = (byte)(value | 0x80);
                value >>= 7;
            }
            _buffer[_length++] = (byte)value;
        }

        private void Reserve(int count)
        {
            if (_length + count > _buffer.Length)
            {
                Array.Resize(ref _buffer, Math.Max(_length + count, 2 * _buffer.Length));
            }
        }
    }
}
