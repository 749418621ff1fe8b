#include "FaceStreamLiveLinkSource.h"

#include "FaceStreamCurves.h"
#include "FaceStreamSettings.h"
#include "FaceStreamSourceSettings.h"
#include "Features/IModularFeatures.h"
#include "ILiveLinkClient.h"
#include "LiveLinkTypes.h"
#include "Roles/LiveLinkBasicRole.h"

#define LOCTEXT_NAMESPACE "FaceStream"

TSharedRef<FFaceStreamLiveLinkSource> FFaceStreamLiveLinkSource::Get()
{
	// Live Link shares it; here it is only found again
	static TWeakPtr<FFaceStreamLiveLinkSource> Known;
	TSharedPtr<FFaceStreamLiveLinkSource> Source = Known.Pin();
	if (!Source.IsValid())
	{
		Source = MakeShared<FFaceStreamLiveLinkSource>();
		Known = Source;
	}
	return Source.ToSharedRef();
}

TSharedPtr<FFaceStreamLiveLinkSource> FFaceStreamLiveLinkSource::GetAdded()
{
	IModularFeatures& Features = IModularFeatures::Get();
	if (!Features.IsModularFeatureAvailable(ILiveLinkClient::ModularFeatureName))
	{
		return nullptr;
	}
	const TSharedRef<FFaceStreamLiveLinkSource> Source = Get();
	if (Source->Client == nullptr)
	{
		Features.GetModularFeature<ILiveLinkClient>(ILiveLinkClient::ModularFeatureName).AddSource(Source);
	}
	return Source;
}

void FFaceStreamLiveLinkSource::Push(
	FName Subject, EFaceStreamNames Names, const TArray<float>& Values, double WorldTime, const FQualifiedFrameTime& SceneTime)
{
	if (Client == nullptr)
	{
		return;
	}
	const FLiveLinkSubjectKey Key(SourceGuid, Subject);
	const EFaceStreamNames* Known = Subjects.Find(Subject);
	if (Known == nullptr || *Known != Names)
	{
		FLiveLinkStaticDataStruct StaticData(FLiveLinkBaseStaticData::StaticStruct());
		StaticData.Cast<FLiveLinkBaseStaticData>()->PropertyNames = FaceStreamCurveNames(Names);
		Client->PushSubjectStaticData_AnyThread(Key, ULiveLinkBasicRole::StaticClass(), MoveTemp(StaticData));
		Subjects.Add(Subject, Names);
	}
	FLiveLinkFrameDataStruct FrameData(FLiveLinkBaseFrameData::StaticStruct());
	FLiveLinkBaseFrameData& Frame = *FrameData.Cast<FLiveLinkBaseFrameData>();
	Frame.WorldTime = FLiveLinkWorldTime(WorldTime);
	Frame.MetaData.SceneTime = SceneTime;
	Frame.PropertyValues = Values;
	Client->PushSubjectFrameData_AnyThread(Key, MoveTemp(FrameData));
}

void FFaceStreamLiveLinkSource::Remove(FName Subject)
{
	if (Subjects.Remove(Subject) > 0 && Client != nullptr)
	{
		Client->RemoveSubject_AnyThread(FLiveLinkSubjectKey(SourceGuid, Subject));
	}
}

bool FFaceStreamLiveLinkSource::WantsWholeFrames() const
{
	return Settings.IsValid() && Settings->bWholeFrames;
}

void FFaceStreamLiveLinkSource::ReceiveClient(ILiveLinkClient* InClient, FGuid InSourceGuid)
{
	Client = InClient;
	SourceGuid = InSourceGuid;
	Subjects.Reset();
}

void FFaceStreamLiveLinkSource::InitializeSettings(ULiveLinkSourceSettings* InSettings)
{
	Settings = Cast<UFaceStreamSourceSettings>(InSettings);
}

bool FFaceStreamLiveLinkSource::RequestSourceShutdown()
{
	// components push from the game thread, as this is called: nothing is under way
	Client = nullptr;
	Subjects.Reset();
	return true;
}

FText FFaceStreamLiveLinkSource::GetSourceType() const
{
	return LOCTEXT("SourceType", "FaceStream");
}

FText FFaceStreamLiveLinkSource::GetSourceMachineName() const
{
	return FText::FromString(GetDefault<UFaceStreamSettings>()->Server);
}

FText FFaceStreamLiveLinkSource::GetSourceStatus() const
{
	if (!Fault.IsEmpty())
	{
		return FText::FromString(Fault);
	}
	return FText::Format(LOCTEXT("Status", "Active, characters: {0}"), FText::AsNumber(Subjects.Num()));
}

TSubclassOf<ULiveLinkSourceSettings> FFaceStreamLiveLinkSource::GetSettingsClass() const
{
	return UFaceStreamSourceSettings::StaticClass();
}

#undef LOCTEXT_NAMESPACE
