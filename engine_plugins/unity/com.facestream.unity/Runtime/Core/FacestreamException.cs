using System;

namespace Facestream
{
    /// <summary>What went wrong, as far as a program cares; the message of the exception is for people.</summary>
    public enum FailureKind
    {
        /// <summary>A value out of its range; the message names it and what is allowed.</summary>
        InvalidValue,

        /// <summary>No model, style or preset of that name.</summary>
        NotFound,

        /// <summary>No token, or one that the server does not know.</summary>
        Denied,

        /// <summary>The server has no room now: try again later.</summary>
        Busy,

        /// <summary>No connection, or a server that is starting or stopping.</summary>
        Unavailable,

        /// <summary>TLS where the server has none, none where it has, or a certificate that is not trusted.</summary>
        Insecure,

        /// <summary>The stream was silent for too long, or has reached its age.</summary>
        TimeLimit,

        /// <summary>The server's engine failed for this stream.</summary>
        Engine,

        /// <summary>The server speaks another version, or what it sent makes no sense.</summary>
        Protocol,
    }

    /// <summary>Why a stream ended, or why a value was refused: one clear sentence.</summary>
    public sealed class FacestreamException : Exception
    {
        /// <summary>A failure of a kind, with its sentence.</summary>
        public FacestreamException(FailureKind kind, string message, double retryAfterSeconds = 0)
            : base(message)
        {
            Kind = kind;
            RetryAfterSeconds = retryAfterSeconds;
        }

        /// <summary>What went wrong.</summary>
        public FailureKind Kind { get; }

        /// <summary>Seconds after which trying again may help; 0 where the server did not say.</summary>
        public double RetryAfterSeconds { get; }

        internal static FacestreamException Invalid(string field, object received, string allowed)
        {
            return new FacestreamException(FailureKind.InvalidValue, $"{field}: got {received}; allowed: {allowed}");
        }

        internal static FacestreamException Protocol(string message)
        {
            return new FacestreamException(FailureKind.Protocol, message);
        }
    }
}
