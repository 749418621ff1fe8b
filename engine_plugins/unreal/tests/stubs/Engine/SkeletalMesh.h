#pragma once

#include "Animation/MorphTarget.h"

class USkeletalMesh : public UObject
{
	STUB_CLASS(USkeletalMesh, UObject)

	virtual const TArray<TObjectPtr<UMorphTarget>>& GetMorphTargets() const { return Morphs; }

	TArray<TObjectPtr<UMorphTarget>> Morphs;
};
