using System;

namespace Facestream.Wire
{
    /// <summary><c>google.protobuf.Duration</c>.</summary>
    internal static class Durations
    {
        internal static long Milliseconds(ReadOnlySpan<byte> message)
        {
            long milliseconds = 0;
            var reader = new ProtoReader(message);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 1:
                        milliseconds += 1000 * reader.Integer();
                        break;
                    case 2:
                        milliseconds += reader.Integer() / 1000000;
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
            return milliseconds;
        }
    }
}
