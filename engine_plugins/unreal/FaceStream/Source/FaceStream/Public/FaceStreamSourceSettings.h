// What the Live Link window lets be chosen for all characters of this source.
#pragma once

#include "CoreMinimal.h"
#include "LiveLinkSourceSettings.h"

#include "FaceStreamSourceSettings.generated.h"

UCLASS()
class FACESTREAM_API UFaceStreamSourceSettings : public ULiveLinkSourceSettings
{
	GENERATED_BODY()

public:
	/** Push the server's own frames, each when its sound is heard, instead of a face for every picture. Takes are exact
	 * then, and playing games less smooth. */
	UPROPERTY(EditAnywhere, Category = "FaceStream")
	bool bWholeFrames = false;
};
