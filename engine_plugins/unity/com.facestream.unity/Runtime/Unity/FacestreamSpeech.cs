using UnityEngine;

namespace Facestream
{
    /// <summary>
    /// Says audio clips, or samples of a voice that was synthesised: plays them through the AudioSource beside it, and has
    /// their face ready in time. The audio is known before it is heard, so the face has no delay.
    /// </summary>
    [RequireComponent(typeof(AudioSource))]
    [AddComponentMenu("facestream/Speech")]
    public sealed class FacestreamSpeech : FacestreamSource
    {
        private const double LongestWaitSeconds = 1.5;
        private const double ReadySeconds = 0.2;
        private const double TailSeconds = 0.5;

        private volatile SpeechLine _line;
        private double _begunAt;
        private double _overAt;
#if UNITY_WEBGL && !UNITY_EDITOR
        private AudioSource _audio;
#endif

        /// <summary>Whether a line is being said.</summary>
        public bool IsSpeaking => _line != null;

        /// <inheritdoc/>
        protected override AudioClock Clock => _line?.Clock;

        /// <summary>Say a clip, in place of what is being said. It must be decompressed on load.</summary>
        public void Speak(AudioClip clip)
        {
            var samples = new float[clip.samples * clip.channels];
            if (!clip.GetData(samples, 0))
            {
                Tell(new FacestreamException(
                    FailureKind.InvalidValue, $"{clip.name}: can not be read; set its Load Type to Decompress On Load"));
                return;
            }
            Speak(samples, clip.channels, clip.frequency);
        }

        /// <summary>Say interleaved samples, in place of what is being said.</summary>
        public void Speak(float[] samples, int channels, int sampleRate)
        {
            Stop();
            TryAtOnce();
            float[] mono = Resampling.ToMono(samples, channels, sampleRate, SampleRate);
            Open(SampleRate);
            _begunAt = HostClock.Now;
            _overAt = 0;
            Prepare(mono);
            _line = new SpeechLine(mono, SampleRate, OutputLatency);
        }

        /// <summary>Stop what is being said.</summary>
        public void Stop()
        {
            _line = null;
            Close();
        }

        private void Update()
        {
            SpeechLine line = _line;
            if (line == null)
            {
                return;
            }
            Watch();
            double now = HostClock.Now;
            AnimationSession session = Session;
            if (session != null)
            {
                line.Feed(session);
            }
            bool isReady = session == null || session.State >= SessionState.Finished
                || session.Playback.SecondsAhead(0) >= ReadySeconds;
            if (!line.MayPlay && (isReady || now > _begunAt + LongestWaitSeconds))
            {
                // with a server that does not answer it is said all the same
                line.Begin();
                Sound(line);
            }
            Follow(line, now);
            if (line.IsOver && _overAt == 0)
            {
                _overAt = now;
            }
            if (line.IsOver && now > _overAt + TailSeconds)
            {
                TellIfAlone();
                Stop();
            }
        }

#if UNITY_WEBGL && !UNITY_EDITOR
        // no audio filters here: the AudioSource plays a clip, and says where it is
        private void Prepare(float[] mono)
        {
            _audio = GetComponent<AudioSource>();
            _audio.clip = AudioClip.Create("speech", mono.Length, 1, SampleRate, false);
            _audio.clip.SetData(mono, 0);
        }

        private void Sound(SpeechLine line)
        {
            _audio.Play();
        }

        private void Follow(SpeechLine line, double now)
        {
            if (line.MayPlay && _audio.isPlaying)
            {
                line.PlayedTo(_audio.timeSamples, now);
            }
            else if (line.MayPlay && !line.IsOver)
            {
                line.PlayedTo(_audio.clip.samples, now);
            }
        }
#else
        private void Prepare(float[] mono)
        {
        }

        private void Sound(SpeechLine line)
        {
            // an AudioSource without a clip plays what OnAudioFilterRead gives
            GetComponent<AudioSource>().Play();
        }

        private void Follow(SpeechLine line, double now)
        {
        }

        private void OnAudioFilterRead(float[] data, int channels)
        {
            _line?.Play(data, channels, HostClock.Now);
        }
#endif

        /// <inheritdoc/>
        protected override void OnDisable()
        {
            Stop();
        }
    }
}
