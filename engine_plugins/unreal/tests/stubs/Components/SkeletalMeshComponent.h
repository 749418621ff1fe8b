#pragma once

#include "Components/ActorComponent.h"
#include "Engine/SkeletalMesh.h"

class USkeletalMeshComponent : public USceneComponent
{
	STUB_CLASS(USkeletalMeshComponent, USceneComponent)

	explicit USkeletalMeshComponent(const FObjectInitializer& ObjectInitializer) : USceneComponent(ObjectInitializer) {}
	USkeletalMesh* GetSkeletalMeshAsset() const { return Asset; }
	void SetMorphTarget(FName MorphTargetName, float Value, bool = true) { Morphs.Add(MorphTargetName, Value); }

	USkeletalMesh* Asset = nullptr;
	TMap<FName, float> Morphs;
};
