#include "AnimGraphNode_FaceStream.h"

#define LOCTEXT_NAMESPACE "FaceStreamEditor"

FText UAnimGraphNode_FaceStream::GetNodeTitle(ENodeTitleType::Type) const
{
	return LOCTEXT("NodeTitle", "FaceStream");
}

FText UAnimGraphNode_FaceStream::GetTooltipText() const
{
	return LOCTEXT("NodeTooltip", "Lays the face of the actor's FaceStream component over the curves of a pose");
}

FLinearColor UAnimGraphNode_FaceStream::GetNodeTitleColor() const
{
	return FLinearColor(0.1f, 0.4f, 0.5f);
}

FString UAnimGraphNode_FaceStream::GetNodeCategory() const
{
	return TEXT("Animation|FaceStream");
}

#undef LOCTEXT_NAMESPACE
