using System;
using Facestream.Wire;

namespace Facestream
{
    /// <summary>Where a session stands.</summary>
    public enum SessionState
    {
        /// <summary>Waits for the server's first word.</summary>
        Connecting,

        /// <summary>Audio goes out, frames come in.</summary>
        Streaming,

        /// <summary>The connection was lost; a new one is tried, and will continue with the next frame.</summary>
        Reconnecting,

        /// <summary>All audio was sent and all frames have come.</summary>
        Finished,

        /// <summary>Given up; <see cref="AnimationSession.Failure"/> says why.</summary>
        Failed,
    }

    /// <summary>Sees each frame as it arrives: its index, and 52 weights and 12 numbers of rotation.</summary>
    public delegate void FrameHandler(long index, ReadOnlySpan<float> row);

    /// <summary>
    /// A live stream: audio in by <see cref="Audio"/>, frames out by <see cref="Playback"/>, and a new call when one breaks.
    /// </summary>
    /// <remarks>
    /// Nothing happens but in <see cref="Pump"/>, which never waits and reads no clock: a <see cref="SessionThread"/> calls
    /// it, or the game where there are no threads. The audio of the last ten seconds is kept; when the connection is lost
    /// a new call sends two seconds of it again, so that the model settles, and asks for frames from the first one that is
    /// missing. Nothing is allocated while a stream runs.
    /// </remarks>
    public sealed class AnimationSession : IResponseSink, IDisposable
    {
        private const int HistorySeconds = 10;
        private const int PrimingSeconds = 2;

        private readonly object _gate = new object();
        private readonly ITransport _transport;
        private readonly StreamOptions _options;
        private readonly Action _wake;
        private readonly ProtoWriter _writer = new ProtoWriter();
        private readonly AudioHistory _history;
        private readonly ReconnectPlan _plan;
        private readonly float[] _samples;
        private readonly float[] _row = new float[FrameRow.Width];
        private byte[] _message = new byte[16 * 1024];
        private ICall _call;
        private FrameReader _reader;
        private MotionControls _unsentControls;
        private volatile SessionState _state = SessionState.Connecting;
        private bool _isConfigured;
        private bool _isHalfClosed;
        private volatile bool _isFinishing;
        private long _finishAt;
        private long _nextFrame;
        private long _nextSample;
        private long _resendFrom = -1;
        private bool _hasJumped;

        /// <summary>
        /// A stream over <paramref name="transport"/>, which it does not own. <paramref name="wake"/> is called, from any
        /// thread, when <see cref="Pump"/> has something to do. Raises <see cref="FacestreamException"/> for bad options.
        /// </summary>
        public AnimationSession(ITransport transport, StreamOptions options, Action wake = null)
        {
            options.Check();
            _transport = transport;
            _options = options;
            _wake = wake ?? DoNothing;
            _history = new AudioHistory(HistorySeconds * options.SampleRate);
            _plan = new ReconnectPlan(options.Resume);
            _samples = new float[options.SampleRate * options.ChunkMilliseconds / 1000];
            Audio = new SampleRing(HistorySeconds * options.SampleRate / 2);
            Playback = new PlaybackClock(options.Clock);
        }

        /// <summary>Called for each frame as it arrives, within <see cref="Pump"/>.</summary>
        public event FrameHandler FrameReceived;

        /// <summary>Called for each event of the stream, within <see cref="Pump"/>.</summary>
        public event Action<StreamEvent> EventReceived;

        /// <summary>Where the audio goes, written by any one thread.</summary>
        public SampleRing Audio { get; }

        /// <summary>Which face belongs to which sample of the audio.</summary>
        public PlaybackClock Playback { get; }

        /// <summary>Where the session stands.</summary>
        public SessionState State => _state;

        /// <summary>Why it failed; null unless it did.</summary>
        public FacestreamException Failure { get; private set; }

        /// <summary>What the server said when the stream opened; null before.</summary>
        public StreamInfo Info { get; private set; }

        /// <summary>Position behind the last sample that was sent.</summary>
        public long SentSamples => _nextSample;

        /// <summary>Index of the next frame that will come.</summary>
        public long NextFrame => _nextFrame;

        /// <summary>How often the stream was continued on a new call.</summary>
        public int Resumes { get; private set; }

        /// <summary>Change the motion, from the next sample sent. What is null stays as it is.</summary>
        public void Control(MotionControls controls)
        {
            lock (_gate)
            {
                _options.Controls.Merge(controls);
                _unsentControls = controls;
            }
            _wake();
        }

        /// <summary>No audio will be written any more: what there is goes out, and the remaining frames follow.</summary>
        public void Finish()
        {
            _finishAt = Audio.End;
            _isFinishing = true;
            _wake();
        }

        /// <summary>Do all there is to do now. <paramref name="nowSeconds"/> may begin anywhere, and never goes back.</summary>
        public SessionState Pump(double nowSeconds)
        {
            lock (_gate)
            {
                try
                {
                    PumpOnce(nowSeconds);
                }
                catch (FacestreamException failure)
                {
                    Fail(failure);
                }
                return _state;
            }
        }

        /// <summary>End the stream now; the server frees its place.</summary>
        public void Dispose()
        {
            lock (_gate)
            {
                DropCall();
                if (_state != SessionState.Failed)
                {
                    _state = SessionState.Finished;
                }
            }
        }

        void IResponseSink.OnStarted(StreamInfo info)
        {
            bool hasRate = info.FrameRateNumerator * (long)_options.FrameRateDenominator
                == _options.FrameRateNumerator * (long)info.FrameRateDenominator;
            if (!hasRate || info.ChunkSamples < 1)
            {
                throw FacestreamException.Protocol(
                    $"{_transport.Server} answers with {info.FrameRateNumerator}/{info.FrameRateDenominator} frames a second "
                    + $"and chunks of {info.ChunkSamples} samples, not as it was asked; use a server and a plugin of the "
                    + "same version");
            }
            _reader = new FrameReader(info.CurveNames);
            Info = info;
            _state = SessionState.Streaming;
        }

        void IResponseSink.OnFrames(in FrameRun run)
        {
            CheckStarted();
            _reader.Check(run);
            if (run.First < _nextFrame)
            {
                throw FacestreamException.Protocol(
                    $"{_transport.Server} sent frame {run.First} behind frame {_nextFrame - 1}; frames must come in order");
            }
            for (int i = 0; i < run.Count; i++)
            {
                _reader.Read(run, i, _row);
                Playback.Add(run.First + i, _row);
                FrameReceived?.Invoke(run.First + i, _row);
            }
            Advance(run.First + run.Count);
        }

        void IResponseSink.OnEvent(in StreamEvent what)
        {
            CheckStarted();
            if (what.Kind == StreamEventKind.FramesDropped)
            {
                Advance(what.First + what.Count);
            }
            else if (what.Kind == StreamEventKind.GoingAway)
            {
                _plan.ServerWillEnd();
            }
            EventReceived?.Invoke(what);
        }

        private void PumpOnce(double now)
        {
            if (_state == SessionState.Finished || _state == SessionState.Failed)
            {
                return;
            }
            if (_call == null && _plan.IsDue(now))
            {
                _call = _transport.Open(_wake);
                _isConfigured = _isHalfClosed = false;
                _reader = null;
            }
            if (_call == null)
            {
                return;
            }
            Configure();
            Receive(now);
            if (_call != null && _reader != null)
            {
                Send();
            }
        }

        private void Configure()
        {
            if (_isConfigured)
            {
                return;
            }
            string token = Info?.ResumeToken;
            if (token != null)
            {
                _resendFrom = PrimingStart();
            }
            Requests.Config(_writer, _options, token, _resendFrom, _nextFrame);
            _isConfigured = _call.TrySend(_writer.Written);
            _unsentControls = null;
        }

        private void Receive(double now)
        {
            while (_call.TryReceive(ref _message, out int length))
            {
                bool wasStarted = _reader != null;
                Responses.Read(new ReadOnlySpan<byte>(_message, 0, length), this);
                CheckStarted();
                if (!wasStarted && _resendFrom >= 0)
                {
                    Resumes++;
                    _plan.Resumed();
                }
            }
            if (!_call.HasEnded(out FacestreamException failure))
            {
                return;
            }
            if (failure == null && _isHalfClosed)
            {
                DropCall();
                _state = SessionState.Finished;
                return;
            }
            failure = failure ?? new FacestreamException(
                FailureKind.Unavailable, $"{_transport.Server} ended the stream before the audio had ended");
            DropCall();
            // a stream that never began has nothing to go on with: whoever opened it hears at once what is wrong
            if (Info == null || !_plan.TryAgain(failure, now))
            {
                throw failure;
            }
            _state = SessionState.Reconnecting;
        }

        private void Send()
        {
            if (_unsentControls != null)
            {
                Requests.Control(_writer, _options.Controls);
                if (!_call.TrySend(_writer.Written))
                {
                    return;
                }
                _unsentControls = null;
            }
            while (_resendFrom >= 0 && SendAgain())
            {
            }
            while (_resendFrom < 0 && SendNext())
            {
            }
            if (_isFinishing && _resendFrom < 0 && _nextSample >= _finishAt && !_isHalfClosed)
            {
                _call.Finish();
                _isHalfClosed = true;
            }
        }

        /// <summary>Send a chunk of what an earlier call had already; whether there may be more to do.</summary>
        private bool SendAgain()
        {
            int count = (int)Math.Min(_history.End - _resendFrom, Math.Min(_samples.Length, Info.ChunkSamples));
            if (count <= 0)
            {
                _resendFrom = -1;
                _hasJumped = true;
                return false;
            }
            _history.Read(_resendFrom, Requests.Audio(_writer, count * Pcm16.BytesPerSample, _resendFrom));
            if (!_call.TrySend(_writer.Written))
            {
                return false;
            }
            _resendFrom += count;
            return true;
        }

        /// <summary>Send the next chunk, if it is whole or the last; whether it was sent.</summary>
        private bool SendNext()
        {
            long until = _isFinishing ? _finishAt : Audio.End;
            int longest = Math.Min(_samples.Length, Info.ChunkSamples);
            int count = (int)Math.Min(until - _nextSample, longest);
            if (count <= 0 || (count < longest && !_isFinishing))
            {
                return false;
            }
            var chunk = new Span<float>(_samples, 0, count);
            if (!Audio.TryRead(_nextSample, chunk))
            {
                // the server took nothing for seconds: what was overwritten meanwhile is a gap
                _nextSample = Math.Min(Audio.Start + (Audio.Capacity / 4), until);
                _hasJumped = true;
                return true;
            }
            Span<byte> data = Requests.Audio(_writer, count * Pcm16.BytesPerSample, _hasJumped ? _nextSample : -1);
            Pcm16.Encode(chunk, data);
            if (!_call.TrySend(_writer.Written))
            {
                return false;
            }
            _history.Add(_nextSample, data);
            _nextSample += count;
            _hasJumped = false;
            return true;
        }

        private void Advance(long nextFrame)
        {
            _nextFrame = nextFrame;
            _plan.Succeeded();
        }

        private void CheckStarted()
        {
            if (_reader == null)
            {
                throw FacestreamException.Protocol(
                    $"{_transport.Server} answered without 'started'; it speaks another version of facestream.v1");
            }
        }

        /// <summary>
        /// Where audio begins again: two seconds before the next frame, on a multiple of 800 ms, which at every usual rate
        /// is a whole number of any model's steps, so that the new call computes the very same ones.
        /// </summary>
        private long PrimingStart()
        {
            int rate = _options.SampleRate;
            long grid = rate % 5 == 0 ? 4L * rate / 5 : 4L * rate;
            long wanted = _options.Clock.SampleOf(_nextFrame) - (PrimingSeconds * rate);
            long start = Math.Max(0, wanted) / grid * grid;
            return start >= _history.Start ? start : (_history.Start + grid - 1) / grid * grid;
        }

        private void Fail(FacestreamException failure)
        {
            DropCall();
            Failure = failure;
            _state = SessionState.Failed;
        }

        private void DropCall()
        {
            _call?.Dispose();
            _call = null;
        }

        private static void DoNothing()
        {
        }
    }
}
