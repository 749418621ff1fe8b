// Live Link window > Source > FaceStream, and presets that name it.
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkSourceFactory.h"

#include "FaceStreamSourceFactory.generated.h"

UCLASS()
class FACESTREAM_API UFaceStreamSourceFactory : public ULiveLinkSourceFactory
{
	GENERATED_BODY()

public:
	virtual FText GetSourceDisplayName() const override;
	virtual FText GetSourceTooltip() const override;
	virtual EMenuType GetMenuType() const override { return EMenuType::MenuEntry; }

	/** The one source of this process, whatever the string says: characters have their subjects in it. */
	virtual TSharedPtr<ILiveLinkSource> CreateSource(const FString& ConnectionString) const override;
};
