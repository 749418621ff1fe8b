// What a submix plays, for a capture.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCapture.h"
#include "HAL/CriticalSection.h"
#include "ISubmixBufferListener.h"
#include "UObject/WeakObjectPtrTemplates.h"

class FAudioDevice;
class USoundSubmix;

class FFaceStreamSubmixListener final : public ISubmixBufferListener
{
public:
	explicit FFaceStreamSubmixListener(const TSharedPtr<FFaceStreamCapture, ESPMode::ThreadSafe>& InCapture) : Capture(InCapture) {}

	virtual void OnNewSubmixBuffer(const USoundSubmix* OwningSubmix, float* AudioData, int32 NumSamples, int32 NumChannels,
		const int32 SampleRate, double AudioClock) override;
	virtual const FString& GetListenerName() const override;

	/** Nothing is taken any more, even if the audio thread has not yet heard that it is over. */
	void Detach();

private:
	FCriticalSection Lock;
	TSharedPtr<FFaceStreamCapture, ESPMode::ThreadSafe> Capture;
};

class FFaceStreamSubmixTap
{
public:
	FFaceStreamSubmixTap(FAudioDevice& Device, USoundSubmix& InSubmix, const TSharedPtr<FFaceStreamCapture, ESPMode::ThreadSafe>& Capture);
	/** `Device` is the one of now, null where it is gone. */
	void Close(FAudioDevice* Device);

private:
	TSharedRef<FFaceStreamSubmixListener, ESPMode::ThreadSafe> Listener;
	TWeakObjectPtr<USoundSubmix> Submix;
};
