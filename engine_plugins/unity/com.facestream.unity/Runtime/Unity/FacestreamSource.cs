using System;
using UnityEngine;

namespace Facestream
{
    /// <summary>
    /// Owns the stream of one character, whatever its audio comes from, and says what went wrong: once, in the Console.
    /// </summary>
    public abstract class FacestreamSource : MonoBehaviour
    {
        private const double FirstRetrySeconds = 2;
        private const double LongestRetrySeconds = 30;

        [SerializeField]
        private FacestreamConnection connection;

        private readonly MotionControls _controls = new MotionControls();
        private ITransport _transport;
        private string _told;
        private AnimationSession _failed;
        private double _retryAt;
        private double _retryDelay;
#if UNITY_WEBGL && !UNITY_EDITOR
        private AnimationSession _session;
#else
        private SessionThread _thread;
#endif

        /// <summary>The server that this character speaks through.</summary>
        public FacestreamConnection Connection
        {
            get => connection;
            set => connection = value;
        }

        /// <summary>What went wrong last; empty while all is well.</summary>
        public string Problem { get; private set; } = "";

#if UNITY_WEBGL && !UNITY_EDITOR
        /// <summary>The stream; null while there is none.</summary>
        public AnimationSession Session => _session;
#else
        /// <summary>The stream; null while there is none.</summary>
        public AnimationSession Session => _thread?.Session;
#endif

        /// <summary>Samples a second of the stream: those of the device, as far as the server takes them.</summary>
        protected static int SampleRate => AudioSettings.outputSampleRate;

        /// <summary>How long a sound is on its way from the mixer to the ear, in seconds.</summary>
        protected static double OutputLatency
        {
            get
            {
                AudioSettings.GetDSPBufferSize(out int length, out int count);
                return (double)length * (count - 1) / AudioSettings.outputSampleRate;
            }
        }

        /// <summary>Change the motion, of what is said now and of all that follows. What is null stays as it is.</summary>
        public void Control(MotionControls controls)
        {
            _controls.Merge(controls);
            Session?.Control(controls);
        }

        /// <summary>
        /// Fill in the face of what is audible now. False where there is nothing to be said, and the face is at rest.
        /// </summary>
        public bool Evaluate(Face face)
        {
            AnimationSession session = Session;
            AudioClock clock = Clock;
            if (session == null || clock == null)
            {
                return false;
            }
            session.Playback.At(clock.At(HostClock.Now), face);
            return true;
        }

        /// <summary>Clock of the sound; null while there is none.</summary>
        protected abstract AudioClock Clock { get; }

        /// <summary>Begin a stream; false where that fails, or failed a moment ago.</summary>
        protected bool Open(int sampleRate)
        {
            if (HostClock.Now < _retryAt)
            {
                return false;
            }
            Close();
            try
            {
                if (connection == null)
                {
                    throw new FacestreamException(
                        FailureKind.InvalidValue,
                        "Connection: got none; allowed: an asset made by Assets > Create > facestream > Connection");
                }
                _transport = connection.CreateTransport();
                StreamOptions options = connection.Options(sampleRate);
                options.Controls.Merge(_controls);
#if UNITY_WEBGL && !UNITY_EDITOR
                _session = new AnimationSession(_transport, options);
#else
                _thread = new SessionThread(_transport, options);
                _thread.Start();
#endif
                return true;
            }
            catch (FacestreamException failure)
            {
                Tell(failure);
                return false;
            }
        }

        /// <summary>End the stream.</summary>
        protected void Close()
        {
#if UNITY_WEBGL && !UNITY_EDITOR
            _session?.Dispose();
            _session = null;
#else
            _thread?.Dispose();
            _thread = null;
#endif
            _transport?.Dispose();
            _transport = null;
        }

        /// <summary>Look after the stream; once for each drawn frame.</summary>
        protected void Watch()
        {
            AnimationSession session = Session;
            if (session == null)
            {
                return;
            }
#if UNITY_WEBGL && !UNITY_EDITOR
            session.Pump(HostClock.Now);
#endif
            if (session.State == SessionState.Failed)
            {
                if (_failed != session)
                {
                    _failed = session;
                    Tell(session.Failure);
                }
            }
            else if (session.Info != null && Problem.Length > 0 && session.State == SessionState.Streaming)
            {
                Problem = "";
                _told = null;
                _retryDelay = 0;
            }
        }

        /// <summary>Of a line that is over: say it where the server was not there in the end.</summary>
        protected void TellIfAlone()
        {
            SessionState state = Session?.State ?? SessionState.Finished;
            if (state == SessionState.Connecting || state == SessionState.Reconnecting)
            {
                Tell(new FacestreamException(
                    FailureKind.Unavailable,
                    $"there was no connection to {connection.Server} when the line was over; is the server running there?"));
            }
        }

        /// <summary>Say a problem in the Console, unless it is what was said last; nothing is tried again for a while.</summary>
        protected void Tell(FacestreamException failure)
        {
            Problem = failure.Message;
            _retryDelay = _retryDelay > 0 ? Math.Min(2 * _retryDelay, LongestRetrySeconds) : FirstRetrySeconds;
            _retryAt = HostClock.Now + _retryDelay;
            if (_told != failure.Message)
            {
                _told = failure.Message;
                Debug.LogError("facestream: " + failure.Message, this);
            }
        }

        /// <summary>Forget that trying failed: whoever asks for speech now wants it tried now.</summary>
        protected void TryAtOnce()
        {
            _retryAt = 0;
        }

        /// <summary>Unity's message.</summary>
        protected virtual void OnDisable()
        {
            Close();
        }
    }
}
