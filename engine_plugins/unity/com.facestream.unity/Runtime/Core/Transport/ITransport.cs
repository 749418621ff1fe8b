using System;

namespace Facestream
{
    /// <summary>A way to one server.</summary>
    public interface ITransport : IDisposable
    {
        /// <summary>The server as people name it.</summary>
        string Server { get; }

        /// <summary>
        /// Begin a call; it connects on its own. <paramref name="wake"/> is called, from any thread, when something came.
        /// </summary>
        ICall Open(Action wake);
    }

    /// <summary>
    /// One call: messages out, messages in. Nothing here waits, so that one thread, even the game's own, drives all of it.
    /// </summary>
    public interface ICall : IDisposable
    {
        /// <summary>Send a message; false where the server takes no more for now.</summary>
        bool TrySend(ReadOnlySpan<byte> message);

        /// <summary>Say that nothing more will be sent.</summary>
        void Finish();

        /// <summary>
        /// The next message, in a buffer that is replaced where it is too small; false where there is none now.
        /// </summary>
        bool TryReceive(ref byte[] buffer, out int length);

        /// <summary>
        /// Whether the call has ended and everything that came was received; the failure is null where all went well.
        /// </summary>
        bool HasEnded(out FacestreamException failure);
    }
}
