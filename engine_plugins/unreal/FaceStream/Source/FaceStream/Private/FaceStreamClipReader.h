// The samples of a sound asset, decoded by the engine in the background.
#pragma once

#include "CoreMinimal.h"
#include "SampleBufferIO.h"

class USoundWave;

class FFaceStreamClipReader
{
public:
	struct FClip
	{
		TArray<float> Interleaved;
		int32 SampleRate = 0;
		int32 NumChannels = 0;
	};

	explicit FFaceStreamClipReader(USoundWave* Sound);
	/** Game thread, once a picture: whether the sound has been read; then it is given out, once. */
	bool Take(FClip& OutClip);

private:
	Audio::FSoundWavePCMLoader Loader;
	FClip Clip;
};
