#pragma once

#include "Engine/EngineTypes.h"

class AActor;

class UActorComponent : public UObject
{
	STUB_CLASS(UActorComponent, UObject)

	explicit UActorComponent(const FObjectInitializer&) {}
	virtual void TickComponent(float, ELevelTick, FActorComponentTickFunction*) {}
	virtual void EndPlay(const EEndPlayReason::Type) {}
	AActor* GetOwner() const { return Owner; }

	FActorComponentTickFunction PrimaryComponentTick;
	AActor* Owner = nullptr; // the driver's to set
};
class USceneComponent : public UActorComponent
{
	STUB_CLASS(USceneComponent, UActorComponent)

	using UActorComponent::UActorComponent;
};
