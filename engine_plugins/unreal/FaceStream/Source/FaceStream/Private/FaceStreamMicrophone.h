// The player's microphone, for a capture.
#pragma once

#include "AudioCaptureCore.h"
#include "CoreMinimal.h"
#include "FaceStreamCapture.h"

class FFaceStreamMicrophone
{
public:
	~FFaceStreamMicrophone();

	/** Samples a second of the microphone; 0 where there is none. */
	int32 FindRate();
	/** False where it can not be opened. */
	bool Open(const TSharedRef<FFaceStreamCapture, ESPMode::ThreadSafe>& Capture);

private:
	Audio::FAudioCapture Device;
};
