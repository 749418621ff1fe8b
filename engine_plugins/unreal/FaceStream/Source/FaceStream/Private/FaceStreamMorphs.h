// The morph targets of a character that are called as ARKit's curves, however their exporter spelled them.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCall.h"
#include "UObject/WeakObjectPtrTemplates.h"

class AActor;
class USkeletalMesh;
class USkeletalMeshComponent;

class FFaceStreamMorphs
{
public:
	/** Moves those of all skeletal meshes of `Owner`; says once what was found. */
	void Apply(const AActor& Owner, const fs_face& Face);

private:
	struct FTarget
	{
		FName Name;
		int32 Curve;
	};
	struct FMesh
	{
		TWeakObjectPtr<USkeletalMeshComponent> Component;
		TWeakObjectPtr<USkeletalMesh> Asset;
		TArray<FTarget> Targets;
	};

	bool IsCurrent(const TArray<USkeletalMeshComponent*>& Found) const;
	void Find(const AActor& Owner, const TArray<USkeletalMeshComponent*>& Found);

	TArray<FMesh> Meshes;
	TArray<USkeletalMeshComponent*> Scratch;
};
