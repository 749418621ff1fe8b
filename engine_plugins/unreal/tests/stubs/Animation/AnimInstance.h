#pragma once

#include "Stub/Objects.h"

class AActor;

class UAnimInstance : public UObject
{
	STUB_CLASS(UAnimInstance, UObject)

	AActor* GetOwningActor() const { return Owner; }
	AActor* Owner = nullptr;
};
