#pragma once

#include "Components/ActorComponent.h"

class FAudioDevice;
class ISoundGenerator;
struct FSoundGeneratorInitParams;
using ISoundGeneratorPtr = TSharedPtr<ISoundGenerator, ESPMode::ThreadSafe>;

class USynthComponent : public USceneComponent
{
	STUB_CLASS(USynthComponent, USceneComponent)

	explicit USynthComponent(const FObjectInitializer& ObjectInitializer) : USceneComponent(ObjectInitializer) {}
	void Start();
	void Stop();

protected:
	virtual bool Init(int32&) { return true; }
	virtual ISoundGeneratorPtr CreateSoundGenerator(const FSoundGeneratorInitParams&) { return nullptr; }
	FAudioDevice* GetAudioDevice() const;

	int32 NumChannels = 2;
	int32 PreferredBufferLength = 0;
};
