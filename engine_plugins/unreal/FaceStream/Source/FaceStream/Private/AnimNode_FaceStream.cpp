#include "AnimNode_FaceStream.h"

#include "Animation/AnimInstance.h"
#include "FaceStreamComponent.h"
#include "GameFramework/Actor.h"

void FAnimNode_FaceStream::Initialize_AnyThread(const FAnimationInitializeContext& Context)
{
	FAnimNode_Base::Initialize_AnyThread(Context);
	Source.Initialize(Context);
}

void FAnimNode_FaceStream::CacheBones_AnyThread(const FAnimationCacheBonesContext& Context)
{
	Source.CacheBones(Context);
}

void FAnimNode_FaceStream::PreUpdate(const UAnimInstance* InAnimInstance)
{
	const AActor* Actor = InAnimInstance->GetOwningActor();
	const UFaceStreamComponent* Component = Actor != nullptr ? Actor->FindComponentByClass<UFaceStreamComponent>() : nullptr;
	Values.Reset();
	if (Component != nullptr)
	{
		Names = Component->GetCurveNames();
		Values = Component->GetCurveValues();
	}
}

void FAnimNode_FaceStream::Update_AnyThread(const FAnimationUpdateContext& Context)
{
	GetEvaluateGraphExposedInputs().Execute(Context);
	Source.Update(Context);
}

void FAnimNode_FaceStream::Evaluate_AnyThread(FPoseContext& Output)
{
	Source.Evaluate(Output);
	const float Share = FMath::Clamp(Alpha, 0.0f, 1.0f);
	for (int32 Place = 0; Share > 0.0f && Place < Values.Num(); ++Place)
	{
		Output.Curve.Set(Names[Place], FMath::Lerp(Output.Curve.Get(Names[Place]), Values[Place], Share));
	}
}

void FAnimNode_FaceStream::GatherDebugData(FNodeDebugData& DebugData)
{
	DebugData.AddDebugItem(DebugData.GetNodeName(this));
	Source.GatherDebugData(DebugData);
}
