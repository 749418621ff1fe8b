#pragma once

#include "Stub/Objects.h"

class UAnimInstance;

struct FAnimationBaseContext
{
};
struct FAnimationInitializeContext : FAnimationBaseContext
{
};
struct FAnimationCacheBonesContext : FAnimationBaseContext
{
};
struct FAnimationUpdateContext : FAnimationBaseContext
{
};
struct FBlendedCurve
{
	float Get(FName InName) const
	{
		const float* Found = const_cast<TMap<FName, float>&>(Values).Find(InName);
		return Found == nullptr ? 0.0f : *Found;
	}
	void Set(FName InName, float InValue) { Values.Add(InName, InValue); }
	TMap<FName, float> Values;
};
struct FPoseContext : FAnimationBaseContext
{
	FBlendedCurve Curve;
};
struct FAnimNode_Base;
struct FNodeDebugData
{
	FString GetNodeName(FAnimNode_Base*) { return FString(TEXT("node")); }
	void AddDebugItem(FString, bool = false) {}
};
struct FExposedValueHandler
{
	void Execute(const FAnimationBaseContext&) const {}
};
struct FPoseLink
{
	void Initialize(const FAnimationInitializeContext&) {}
	void CacheBones(const FAnimationCacheBonesContext&) {}
	void Update(const FAnimationUpdateContext&) {}
	void Evaluate(FPoseContext&) {}
	void GatherDebugData(FNodeDebugData&) {}
};
struct FAnimNode_Base
{
	virtual ~FAnimNode_Base() = default;
	virtual void Initialize_AnyThread(const FAnimationInitializeContext&) {}
	virtual void CacheBones_AnyThread(const FAnimationCacheBonesContext&) {}
	virtual void Update_AnyThread(const FAnimationUpdateContext&) {}
	virtual void Evaluate_AnyThread(FPoseContext&) {}
	virtual void GatherDebugData(FNodeDebugData&) {}
	virtual bool HasPreUpdate() const { return false; }
	virtual void PreUpdate(const UAnimInstance*) {}
	const FExposedValueHandler& GetEvaluateGraphExposedInputs() const
	{
		static const FExposedValueHandler Handler;
		return Handler;
	}
};
