// The engine that the stubs are in this program: a clock, an audio device, a microphone, a log, all in the driver's hands.
#pragma once

#include "AudioDevice.h"
#include "CoreMinimal.h"
#include "Sound/SoundGenerator.h"

struct FStubLogLine
{
	std::string Category;
	EStubVerbosity Verbosity;
	std::string Message;
	double Time;
};

/** Plays the voices of all components, mono, block by block, and what a submix is given. */
class FStubAudioDevice final : public FAudioDevice
{
public:
	virtual void RegisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe> Listener, USoundSubmix& Submix) override;
	virtual void UnregisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe> Listener, USoundSubmix& Submix) override;

	/** Seconds from the hand-over of a sample to the ear. */
	double LatencySeconds(int32 BlockSamples) const;
	/** Renders one block; what was handed over is appended to `Heard`. */
	void Render(int32 BlockSamples);
	/** What the submix plays, stereo, at this moment. */
	void PlayOnSubmix(USoundSubmix& Submix, const float* Mono, int32 Count);

	std::map<const UObject*, ISoundGeneratorPtr> Voices;
	std::map<const UObject*, std::vector<TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe>>> Listeners;
	std::vector<float> Heard;
};

struct FStubEngine
{
	double Time = 100.0;
	std::vector<FStubLogLine> Log;
	FStubAudioDevice Audio;
	bool bHasAudio = true;
	/** 0 for none. */
	int32 MicrophoneRate = 0;
	std::function<void(const void*, int32, int32, int32, double, bool)> Microphone;
	std::map<std::string, void (*)()> Commands;
};
FStubEngine& StubEngine();

class ILiveLinkClient;
void StubSetLiveLink(ILiveLinkClient* Client);
