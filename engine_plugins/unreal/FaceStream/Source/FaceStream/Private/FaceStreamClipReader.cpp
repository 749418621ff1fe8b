#include "FaceStreamClipReader.h"

FFaceStreamClipReader::FFaceStreamClipReader(USoundWave* Sound)
{
	Loader.LoadSoundWave(Sound,
		[this](const USoundWave*, const Audio::FSampleBuffer& Samples)
		{
			constexpr float FullScale = 32768.0f;
			Clip.Interleaved.SetNumUninitialized(Samples.GetNumSamples());
			for (int32 Place = 0; Place < Clip.Interleaved.Num(); ++Place)
			{
				Clip.Interleaved[Place] = static_cast<float>(Samples.GetData()[Place]) / FullScale;
			}
			Clip.NumChannels = Samples.GetNumChannels();
			Clip.SampleRate = Samples.GetSampleRate();
		});
}

bool FFaceStreamClipReader::Take(FClip& OutClip)
{
	Loader.Update();
	if (Clip.SampleRate == 0)
	{
		return false;
	}
	OutClip = MoveTemp(Clip);
	Clip = FClip();
	return true;
}
