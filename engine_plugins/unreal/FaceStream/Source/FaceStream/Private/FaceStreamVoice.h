// Where the audio render thread and the game thread meet: what is to be played now.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamSpeech.h"
#include "HAL/CriticalSection.h"
#include "Sound/SoundGenerator.h"

class FFaceStreamVoice
{
public:
	/** Game thread: what is played from now on. */
	void Set(const TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe>& NewSpeech);
	/** Audio render thread. */
	void Play(float* Out, int32 NumSamples);

private:
	FCriticalSection Lock;
	TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe> Speech;
};

/** Ends a speech off the game thread: its stream joins its threads there. */
void FaceStreamEndInBackground(TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe>&& Speech);

/** The voice as the audio mixer plays it, mono. */
class FFaceStreamGenerator final : public ISoundGenerator
{
public:
	explicit FFaceStreamGenerator(const TSharedRef<FFaceStreamVoice, ESPMode::ThreadSafe>& InVoice) : Voice(InVoice) {}

	virtual int32 OnGenerateAudio(float* OutAudio, int32 NumSamples) override;
	/** Small blocks: what waits in the mixer is time between a sound and its hand-over. */
	virtual int32 GetDesiredNumSamplesToRenderPerCallback() const override { return BlockSamples; }

	static constexpr int32 BlockSamples = 256;

private:
	TSharedRef<FFaceStreamVoice, ESPMode::ThreadSafe> Voice;
};
