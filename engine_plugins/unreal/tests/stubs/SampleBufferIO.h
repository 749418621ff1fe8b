#pragma once

#include "Stub/Containers.h"

class USoundWave;

namespace Audio
{
template <typename T = int16>
class TSampleBuffer
{
public:
	TSampleBuffer(const T* InData, int32 InCount, int32 InChannels, int32 InRate) : Data(InData), Count(InCount), Channels(InChannels), Rate(InRate) {}
	const T* GetData() const { return Data; }
	int32 GetNumSamples() const { return Count; }
	int32 GetNumChannels() const { return Channels; }
	int32 GetSampleRate() const { return Rate; }

private:
	const T* Data;
	int32 Count, Channels, Rate;
};
using FSampleBuffer = TSampleBuffer<>;

/** Decodes at the second Update, as if it took a while. */
class FSoundWavePCMLoader
{
public:
	void LoadSoundWave(USoundWave* InSoundWave, TFunction<void(const USoundWave* SoundWave, const FSampleBuffer& OutSampleBuffer)> OnLoaded, bool bSynchronous = false);
	void Update();

private:
	USoundWave* Wave = nullptr;
	TFunction<void(const USoundWave*, const FSampleBuffer&)> Loaded;
	int32 Updates = 0;
};
}
