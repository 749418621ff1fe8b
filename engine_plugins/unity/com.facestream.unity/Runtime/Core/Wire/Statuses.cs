using System;

namespace Facestream.Wire
{
    /// <summary>How a call ended: a gRPC status and its <c>google.rpc.Status</c> as one failure with one sentence.</summary>
    public static class Statuses
    {
        private const int Cancelled = 1;
        private const int InvalidArgument = 3;
        private const int DeadlineExceeded = 4;
        private const int NotFound = 5;
        private const int PermissionDenied = 7;
        private const int ResourceExhausted = 8;
        private const int FailedPrecondition = 9;
        private const int OutOfRange = 11;
        private const int Unimplemented = 12;
        private const int Internal = 13;
        private const int Unavailable = 14;
        private const int Unauthenticated = 16;

        /// <summary>
        /// The failure of a status that is not OK. <paramref name="details"/> is the serialized google.rpc.Status, empty
        /// where there is none.
        /// </summary>
        public static FacestreamException FailureOf(string server, int code, string message, ReadOnlySpan<byte> details)
        {
            string reason = "";
            double retryAfter = 0;
            var reader = new ProtoReader(details);
            while (reader.Next(out int field))
            {
                if (field == 3)
                {
                    ReadDetail(reader.Bytes(), ref reason, ref retryAfter);
                }
                else
                {
                    reader.Skip();
                }
            }
            return FailureOf(server, code, message, reason, retryAfter);
        }

        /// <summary>The same with its details read: the reason of ErrorInfo, the delay of RetryInfo.</summary>
        public static FacestreamException FailureOf(
            string server, int code, string message, string reason, double retryAfter)
        {
            FailureKind kind = KindOf(code, reason);
            return new FacestreamException(kind, Sentence(server, code, kind, message, reason), retryAfter);
        }

        private static FailureKind KindOf(int code, string reason)
        {
            switch (code)
            {
                case InvalidArgument:
                case OutOfRange:
                    return FailureKind.InvalidValue;
                case DeadlineExceeded:
                    return FailureKind.TimeLimit;
                case NotFound:
                    return FailureKind.NotFound;
                case PermissionDenied:
                case Unauthenticated:
                    return FailureKind.Denied;
                case ResourceExhausted:
                    // without a reason it is gRPC itself, which found a message too long
                    return reason.Length > 0 ? FailureKind.Busy : FailureKind.InvalidValue;
                case Cancelled:
                case Unavailable:
                    return FailureKind.Unavailable;
                case Internal:
                    return reason == "ENGINE_FAILED" ? FailureKind.Engine : FailureKind.Protocol;
                default:
                    return FailureKind.Protocol;
            }
        }

        private static string Sentence(string server, int code, FailureKind kind, string message, string reason)
        {
            if (code == Unimplemented)
            {
                return $"{server} does not speak facestream.v1 ({message}); check the address and the server's version";
            }
            if (kind == FailureKind.Denied)
            {
                return $"{server} refused the token: {message}";
            }
            return reason.Length > 0 ? $"{server}: {message}" : $"{server} ended the stream with status {code}: {message}";
        }

        private static void ReadDetail(ReadOnlySpan<byte> any, ref string reason, ref double retryAfter)
        {
            string type = "";
            ReadOnlySpan<byte> value = default;
            var reader = new ProtoReader(any);
            while (reader.Next(out int field))
            {
                switch (field)
                {
                    case 1:
                        type = reader.Text();
                        break;
                    case 2:
                        value = reader.Bytes();
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
            var detail = new ProtoReader(value);
            while (detail.Next(out int field))
            {
                if (field == 1 && type.EndsWith("google.rpc.ErrorInfo", StringComparison.Ordinal))
                {
                    reason = detail.Text();
                }
                else if (field == 1 && type.EndsWith("google.rpc.RetryInfo", StringComparison.Ordinal))
                {
                    retryAfter = Durations.Milliseconds(detail.Bytes()) / 1000.0;
                }
                else
                {
                    detail.Skip();
                }
            }
        }
    }
}
