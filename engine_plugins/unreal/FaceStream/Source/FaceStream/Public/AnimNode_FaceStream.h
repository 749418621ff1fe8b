// Lays the curves of the actor's FaceStream component over a pose.
#pragma once

#include "Animation/AnimNodeBase.h"
#include "CoreMinimal.h"

#include "AnimNode_FaceStream.generated.h"

USTRUCT(BlueprintInternalUseOnly)
struct FACESTREAM_API FAnimNode_FaceStream : public FAnimNode_Base
{
	GENERATED_BODY()

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = Links)
	FPoseLink Source;

	/** 0 for the pose's own curves. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream", meta = (PinShownByDefault, ClampMin = "0", ClampMax = "1"))
	float Alpha = 1.0f;

	virtual void Initialize_AnyThread(const FAnimationInitializeContext& Context) override;
	virtual void CacheBones_AnyThread(const FAnimationCacheBonesContext& Context) override;
	virtual void Update_AnyThread(const FAnimationUpdateContext& Context) override;
	virtual void Evaluate_AnyThread(FPoseContext& Output) override;
	virtual void GatherDebugData(FNodeDebugData& DebugData) override;
	virtual bool HasPreUpdate() const override { return true; }
	virtual void PreUpdate(const UAnimInstance* InAnimInstance) override;

private:
	TArray<FName> Names;
	TArray<float> Values;
};
