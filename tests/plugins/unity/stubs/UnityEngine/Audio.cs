using System;

namespace UnityEngine
{
    public class AudioClip : Object
    {
        public float[] Interleaved = { };

        public int samples => Interleaved.Length / channels;

        public int channels { get; private set; } = 1;

        public int frequency { get; private set; } = 48000;

        public static AudioClip Create(string name, int lengthSamples, int channels, int frequency, bool stream)
        {
            var data = new float[lengthSamples * channels];
            return new AudioClip { name = name, Interleaved = data, channels = channels, frequency = frequency };
        }

        public bool SetData(float[] data, int offsetSamples)
        {
            Array.Copy(data, 0, Interleaved, offsetSamples * channels, data.Length);
            return true;
        }

        /// <summary>Begins anew where the clip ends, as Unity's.</summary>
        public bool GetData(float[] data, int offsetSamples)
        {
            for (int i = 0; i < data.Length; i++)
            {
                data[i] = Interleaved[((offsetSamples * channels) + i) % Interleaved.Length];
            }
            return true;
        }
    }

    public class AudioSource : Component
    {
        public AudioClip clip { get; set; }

        public int timeSamples { get; set; }

        public bool isPlaying { get; private set; }

        public void Play()
        {
            isPlaying = true;
        }
    }

    public static class AudioSettings
    {
        public static int outputSampleRate => 48000;

        public static void GetDSPBufferSize(out int bufferLength, out int numBuffers)
        {
            bufferLength = 1024;
            numBuffers = 2;
        }
    }

    public static class Microphone
    {
        public static string[] devices { get; set; } = { "stub" };

        public static AudioClip Recorded { get; private set; }

        public static int Position { get; set; }

        public static AudioClip Start(string device, bool loop, int seconds, int frequency)
        {
            return Recorded = AudioClip.Create("microphone", seconds * frequency, 1, frequency, false);
        }

        public static void End(string device)
        {
        }

        public static int GetPosition(string device)
        {
            return Position;
        }

        public static void GetDeviceCaps(string device, out int minFreq, out int maxFreq)
        {
            minFreq = 8000;
            maxFreq = 48000;
        }
    }
}
