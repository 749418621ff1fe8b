#pragma once

#include "Stub/Objects.h"

namespace ENodeTitleType
{
enum Type
{
	FullTitle
};
}
struct FLinearColor
{
	FLinearColor(float InR, float InG, float InB) : R(InR), G(InG), B(InB) {}
	float R, G, B;
};
class UAnimGraphNode_Base : public UObject
{
	STUB_CLASS(UAnimGraphNode_Base, UObject)

	virtual FText GetNodeTitle(ENodeTitleType::Type) const { return FText(); }
	virtual FText GetTooltipText() const { return FText(); }
	virtual FLinearColor GetNodeTitleColor() const { return FLinearColor(0, 0, 0); }
	virtual FString GetNodeCategory() const { return FString(); }
};
