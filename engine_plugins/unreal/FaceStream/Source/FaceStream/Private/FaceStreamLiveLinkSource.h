// All characters of this process as one Live Link source, a subject each.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamTypes.h"
#include "ILiveLinkSource.h"
#include "Misc/Guid.h"
#include "Misc/QualifiedFrameTime.h"
#include "UObject/WeakObjectPtrTemplates.h"

class ILiveLinkClient;
class UFaceStreamSourceSettings;

class FFaceStreamLiveLinkSource final : public ILiveLinkSource
{
public:
	/** The source of this process, whether or not Live Link has it. */
	static TSharedRef<FFaceStreamLiveLinkSource> Get();
	/** The same, given to Live Link where nobody has done that yet; null where the Live Link plugin is not there. */
	static TSharedPtr<FFaceStreamLiveLinkSource> GetAdded();

	/** The next face of a character. Game thread. */
	void Push(FName Subject, EFaceStreamNames Names, const TArray<float>& Values, double WorldTime, const FQualifiedFrameTime& SceneTime);
	void Remove(FName Subject);
	/** What the Live Link window shows beside the number of characters: the last fault, or nothing. */
	void SetFault(const FString& InFault) { Fault = InFault; }
	bool WantsWholeFrames() const;

	virtual void ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid) override;
	virtual void InitializeSettings(ULiveLinkSourceSettings* InSettings) override;
	virtual bool IsSourceStillValid() const override { return Client != nullptr; }
	virtual bool RequestSourceShutdown() override;
	virtual FText GetSourceType() const override;
	virtual FText GetSourceMachineName() const override;
	virtual FText GetSourceStatus() const override;
	virtual TSubclassOf<ULiveLinkSourceSettings> GetSettingsClass() const override;

private:
	ILiveLinkClient* Client = nullptr;
	FGuid SourceGuid;
	TWeakObjectPtr<UFaceStreamSourceSettings> Settings;
	TMap<FName, EFaceStreamNames> Subjects;
	FString Fault;
};
