#pragma once

#include "Stub/Text.h"

class USoundSubmix;

class ISubmixBufferListener
{
public:
	virtual void OnNewSubmixBuffer(const USoundSubmix* OwningSubmix, float* AudioData, int32 NumSamples, int32 NumChannels, const int32 SampleRate, double AudioClock) = 0;
	virtual bool IsRenderingAudio() const { return false; }
	virtual const FString& GetListenerName() const = 0;

protected:
	virtual ~ISubmixBufferListener() = default;
};
