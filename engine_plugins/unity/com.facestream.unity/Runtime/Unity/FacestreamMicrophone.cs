using System;
using UnityEngine;

namespace Facestream
{
    /// <summary>Shows the player's own speech: the microphone's audio, its face a moment later. It plays nothing.</summary>
    [AddComponentMenu("facestream/Microphone")]
    public sealed class FacestreamMicrophone : FacestreamSource
    {
        private const int RecordedSeconds = 4;
        private const int BlocksPerSecond = 50;

        [Tooltip("Name of the device; empty for the system's own.")]
        [SerializeField]
        private string device = "";

        private AudioClip _recorded;
        private AudioClock _clock;
        private float[] _block;
        private int _read;
        private long _taken;

        /// <inheritdoc/>
        protected override AudioClock Clock => _clock;

        private void OnEnable()
        {
            if (Microphone.devices.Length == 0)
            {
                Tell(new FacestreamException(
                    FailureKind.InvalidValue,
                    "no microphone: connect one, and let the game use it in the system's privacy settings"));
                return;
            }
            if (device.Length > 0 && Array.IndexOf(Microphone.devices, device) < 0)
            {
                string known = string.Join(", ", Microphone.devices);
                Tell(new FacestreamException(FailureKind.InvalidValue, $"no microphone named '{device}'; there is: {known}"));
                return;
            }
            Microphone.GetDeviceCaps(device, out int least, out int most);
            int rate = most == 0 ? 48000 : Math.Min(48000, Math.Max(most, 8000));
            rate = Math.Max(rate, least);
            _recorded = Microphone.Start(device, true, RecordedSeconds, rate);
            _block = new float[rate / BlocksPerSecond];
        }

        private void Update()
        {
            if (_recorded == null)
            {
                return;
            }
            Watch();
            if (Session == null || Session.State >= SessionState.Finished)
            {
                if (!Open(_recorded.frequency))
                {
                    return;
                }
                _clock = new AudioClock(_recorded.frequency, Connection.DelaySeconds);
                _read = Microphone.GetPosition(device);
                _taken = 0;
            }
            TakeBlocks();
        }

        private void TakeBlocks()
        {
            int position = Microphone.GetPosition(device);
            int waiting = position - _read;
            waiting += waiting < 0 ? _recorded.samples : 0;
            while (waiting >= _block.Length)
            {
                // reads on at the beginning of the clip where it meets its end
                _recorded.GetData(_block, _read);
                Session.Audio.Write(_block, 1);
                _taken += _block.Length;
                // its last sample was captured just now
                _clock.HandedOver(_taken, _block.Length, HostClock.Now);
                _read = (_read + _block.Length) % _recorded.samples;
                waiting -= _block.Length;
            }
        }

        /// <inheritdoc/>
        protected override void OnDisable()
        {
            if (_recorded != null)
            {
                Microphone.End(device);
                _recorded = null;
            }
            base.OnDisable();
        }
    }
}
