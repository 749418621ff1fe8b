// The node "FaceStream" of animation graphs.
#pragma once

#include "AnimGraphNode_Base.h"
#include "AnimNode_FaceStream.h"
#include "CoreMinimal.h"

#include "AnimGraphNode_FaceStream.generated.h"

UCLASS()
class FACESTREAMEDITOR_API UAnimGraphNode_FaceStream : public UAnimGraphNode_Base
{
	GENERATED_BODY()

public:
	UPROPERTY(EditAnywhere, Category = "FaceStream")
	FAnimNode_FaceStream Node;

	virtual FText GetNodeTitle(ENodeTitleType::Type TitleType) const override;
	virtual FText GetTooltipText() const override;
	virtual FLinearColor GetNodeTitleColor() const override;
	virtual FString GetNodeCategory() const override;
};
