#pragma once

#include "ISubmixBufferListener.h"
#include "Stub/Containers.h"

struct FAudioPlatformSettings
{
	int32 SampleRate = 48000;
	int32 CallbackBufferFrameSize = 1024;
	int32 NumBuffers = 2;
};
class FAudioDevice
{
public:
	virtual ~FAudioDevice() = default;
	virtual void RegisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe> InSubmixBufferListener, USoundSubmix& SoundSubmix) = 0;
	virtual void UnregisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe> InSubmixBufferListener, USoundSubmix& SoundSubmix) = 0;

	int32 SampleRate = 48000;
	FAudioPlatformSettings PlatformSettings;
};
