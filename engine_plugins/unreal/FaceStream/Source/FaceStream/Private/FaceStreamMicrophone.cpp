#include "FaceStreamMicrophone.h"

FFaceStreamMicrophone::~FFaceStreamMicrophone()
{
	if (Device.IsStreamOpen())
	{
		Device.StopStream();
		Device.CloseStream();
	}
}

int32 FFaceStreamMicrophone::FindRate()
{
	Audio::FCaptureDeviceInfo Info;
	return Device.GetCaptureDeviceInfo(Info) && Info.InputChannels > 0 ? Info.PreferredSampleRate : 0;
}

bool FFaceStreamMicrophone::Open(const TSharedRef<FFaceStreamCapture, ESPMode::ThreadSafe>& Capture)
{
	constexpr uint32 FramesWanted = 512;
	Audio::FOnAudioCaptureFunction OnAudio = [Capture](const void* Samples, int32 NumFrames, int32 NumChannels, int32 SampleRate, double, bool)
	{
		if (NumChannels > 0 && SampleRate == Capture->GetSound().Rate)
		{
			Capture->Take(static_cast<const float*>(Samples), NumFrames, NumChannels, FaceStreamNow());
		}
	};
	Audio::FAudioCaptureDeviceParams Parameters;
	return Device.OpenAudioCaptureStream(Parameters, MoveTemp(OnAudio), FramesWanted) && Device.StartStream();
}
