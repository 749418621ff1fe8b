#include "FaceStreamSubmixTap.h"

#include "AudioDevice.h"
#include "Misc/ScopeLock.h"
#include "Sound/SoundSubmix.h"

void FFaceStreamSubmixListener::OnNewSubmixBuffer(
	const USoundSubmix*, float* AudioData, int32 NumSamples, int32 NumChannels, const int32 SampleRate, double)
{
	const FScopeLock Scope(&Lock);
	if (Capture.IsValid() && NumChannels > 0 && SampleRate == Capture->GetSound().Rate)
	{
		Capture->Take(AudioData, NumSamples / NumChannels, NumChannels, FaceStreamNow());
	}
}

const FString& FFaceStreamSubmixListener::GetListenerName() const
{
	static const FString Name(TEXT("FaceStream"));
	return Name;
}

void FFaceStreamSubmixListener::Detach()
{
	const FScopeLock Scope(&Lock);
	Capture.Reset();
}

FFaceStreamSubmixTap::FFaceStreamSubmixTap(
	FAudioDevice& Device, USoundSubmix& InSubmix, const TSharedPtr<FFaceStreamCapture, ESPMode::ThreadSafe>& Capture)
	: Listener(MakeShared<FFaceStreamSubmixListener, ESPMode::ThreadSafe>(Capture))
	, Submix(&InSubmix)
{
	Device.RegisterSubmixBufferListener(Listener, InSubmix);
}

void FFaceStreamSubmixTap::Close(FAudioDevice* Device)
{
	Listener->Detach();
	if (Device != nullptr && Submix.IsValid())
	{
		Device->UnregisterSubmixBufferListener(Listener, *Submix);
	}
}
