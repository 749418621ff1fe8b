using System;
using System.Security.Authentication;

namespace Facestream
{
    /// <summary>What to tell of a connection that could not be made, or was lost.</summary>
    internal static class ConnectionFailure
    {
        /// <param name="server">Its address, with the scheme.</param>
        /// <param name="scheme">Of this transport without TLS; with TLS it has an s more.</param>
        /// <param name="setting">What a server must have set for it, or nothing.</param>
        /// <param name="wasConnected">Whether the server had answered before.</param>
        /// <param name="error">What the transport says.</param>
        internal static FacestreamException Of(
            string server, string scheme, string setting, bool wasConnected, Exception error)
        {
            Exception innermost = error;
            for (Exception inner = error; inner != null; inner = inner.InnerException)
            {
                innermost = inner;
                if (inner is AuthenticationException)
                {
                    return new FacestreamException(
                        FailureKind.Insecure,
                        $"no TLS connection to {server}: {inner.Message} Use {scheme}:// where the server has no TLS, and "
                        + "a certificate that this machine trusts where it has");
                }
            }
            string hint = wasConnected
                ? "the connection was lost"
                : server.StartsWith(scheme + "s", StringComparison.Ordinal)
                ? $"is the server running there{setting}, and with TLS (else use {scheme}://)?"
                : $"is the server running there{setting}, and without TLS (else use {scheme}s://)?";
            string text = innermost.Message.Split('\n')[0].TrimEnd('\r', '.');  // some exceptions say more on a second line
            return new FacestreamException(FailureKind.Unavailable, $"no connection to {server}: {text}; {hint}");
        }
    }
}
