using System;
using System.Text;

namespace Facestream.Wire
{
    /// <summary>How a field stands on the wire.</summary>
    public enum WireType
    {
        /// <summary>A base-128 integer.</summary>
        Varint = 0,

        /// <summary>Eight bytes.</summary>
        Fixed64 = 1,

        /// <summary>A length and so many bytes.</summary>
        Bytes = 2,

        /// <summary>Four bytes.</summary>
        Fixed32 = 5,
    }

    /// <summary>
    /// Reads protobuf fields where they lie, without a copy. Anything that is no protobuf raises
    /// <see cref="FailureKind.Protocol"/>.
    /// </summary>
    public ref struct ProtoReader
    {
        private readonly ReadOnlySpan<byte> _data;
        private int _position;
        private WireType _type;

        /// <summary>Reads one message.</summary>
        public ProtoReader(ReadOnlySpan<byte> data)
        {
            _data = data;
            _position = 0;
            _type = WireType.Varint;
        }

        /// <summary>The next field's number; false at the end of the message.</summary>
        public bool Next(out int field)
        {
            field = 0;
            if (_position == _data.Length)
            {
                return false;
            }
            ulong tag = Varint();
            _type = (WireType)(int)(tag & 7);
            if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
            {
                throw Broken();
            }
            field = (int)(tag >> 3);
            return true;
        }

        /// <summary>The value of an integer, an enumeration or a boolean.</summary>
        public long Integer()
        {
            Expect(WireType.Varint);
            return (long)Varint();
        }

        /// <summary>The content of a string, a bytes or a message field, or of packed numbers.</summary>
        public ReadOnlySpan<byte> Bytes()
        {
            Expect(WireType.Bytes);
            ulong count = Varint();
            if (count > (ulong)(_data.Length - _position))
            {
                throw Broken();
            }
            ReadOnlySpan<byte> content = _data.Slice(_position, (int)count);
            _position += (int)count;
            return content;
        }

        /// <summary>A string.</summary>
        public string Text()
        {
            return Encoding.UTF8.GetString(Bytes());
        }

        /// <summary>Leave out the field that <see cref="Next"/> found.</summary>
        public void Skip()
        {
            switch (_type)
            {
                case WireType.Varint:
                    Varint();
                    break;
                case WireType.Fixed64:
                    Pass(8);
                    break;
                case WireType.Bytes:
                    Bytes();
                    break;
                case WireType.Fixed32:
                    Pass(4);
                    break;
                default:
                    throw Broken();
            }
        }

        /// <summary>One of the floats in packed content.</summary>
        public static float SingleAt(ReadOnlySpan<byte> packed, int index)
        {
            int at = 4 * index;
            int bits = packed[at] | (packed[at + 1] << 8) | (packed[at + 2] << 16) | (packed[at + 3] << 24);
            return BitConverter.Int32BitsToSingle(bits);
        }

        private ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; shift < 64; shift += 7)
            {
                if (_position == _data.Length)
                {
                    throw Broken();
                }
                byte next = _data[_position++];
                value |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
            throw Broken();
        }

        private void Pass(int count)
        {
            if (count > _data.Length - _position)
            {
                throw Broken();
            }
            _position += count;
        }

        private void Expect(WireType type)
        {
            if (_type != type)
            {
                throw Broken();
            }
        }

        private static FacestreamException Broken()
        {
            return FacestreamException.Protocol(
                "the server sent a message that is not of facestream.v1; check the address and the server's version");
        }
    }
}
