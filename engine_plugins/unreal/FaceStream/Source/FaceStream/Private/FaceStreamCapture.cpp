#include "FaceStreamCapture.h"

FFaceStreamCapture::FFaceStreamCapture(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound, double InBufferSeconds)
	: FFaceStreamSpeech(Options, InSound)
	, BufferSeconds(InBufferSeconds)
	, Resampler(fs_resampler_create(InSound.Rate, GFaceStreamWireRate))
{
	check(Resampler.IsValid());
	Mono.SetNumZeroed(BlockFrames);
	Wire.SetNumZeroed(static_cast<int32>(fs_resampler_most_outputs(Resampler.Get(), BlockFrames)));
}

void FFaceStreamCapture::Take(const float* Interleaved, int32 NumFrames, int32 NumChannels, int64 NowNs)
{
	for (int32 First = 0; First < NumFrames; First += BlockFrames)
	{
		const int32 Count = FMath::Min(BlockFrames, NumFrames - First);
		for (int32 Place = 0; Place < Count; ++Place)
		{
			float Sum = 0.0f;
			for (int32 Channel = 0; Channel < NumChannels; ++Channel)
			{
				Sum += Interleaved[(First + Place) * NumChannels + Channel];
			}
			Mono[Place] = Sum / static_cast<float>(NumChannels);
		}
		const size_t Made = fs_resampler_push(Resampler.Get(), Mono.GetData(), static_cast<size_t>(Count), Wire.GetData());
		Call.Send(Wire.GetData(), static_cast<int32>(Made));
		if (Sound.bPlayed)
		{
			PushSound(Mono.GetData(), Count);
		}
		Captured += Count;
	}
	if (!Sound.bPlayed)
	{
		HandedOver = Captured.load();
		fs_presentation_clock_report(Clock.Get(), Captured, NowNs);
	}
}

void FFaceStreamCapture::Feed(int64)
{
	// once: what was kept back at the beginning is the delay of all that follows
	if (Sound.bPlayed && Captured >= SamplesOf(BufferSeconds))
	{
		bMayPlay = true;
	}
}
