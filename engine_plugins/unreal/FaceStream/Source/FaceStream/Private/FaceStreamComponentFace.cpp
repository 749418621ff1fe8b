// The face of a picture: eased, and shown to animation graphs, morph targets and Live Link.
#include "FaceStreamComponent.h"
#include "FaceStreamCurves.h"
#include "FaceStreamLiveLinkSource.h"
#include "FaceStreamParts.h"
#include "FaceStreamSettings.h"
#include "FaceStreamStats.h"
#include "GameFramework/Actor.h"
#include "HAL/PlatformTime.h"
#include "Misc/App.h"
#include "Misc/DateTime.h"

namespace
{
// A face that is left alone goes to rest as one whose frames are missing.
constexpr double LeaveSeconds = 0.25;

/** Seconds since midnight, of the engine's timecode where it has one. */
double SecondsOfDay()
{
	const TOptional<FQualifiedFrameTime> Timecode = FApp::GetCurrentFrameTime();
	return Timecode.IsSet() ? Timecode->AsSeconds() : FDateTime::Now().GetTimeOfDay().GetTotalSeconds();
}
} // namespace

void UFaceStreamComponent::Show()
{
	const double Now = FPlatformTime::Seconds();
	FFaceStreamSpeech* Speech = Parts->Speech.Get();
	if (Speech != nullptr && !Speech->HasBegun())
	{
		Speech = nullptr;
	}
	FFaceStreamMoment Moment{FaceStreamRest()};
	if (Speech != nullptr)
	{
		Moment = Speech->Now();
		INC_DWORD_STAT_BY(STAT_FaceStreamStarved, Moment.bStarved ? 1 : 0);
	}
	const double Left = Parts->LeftAt < 0.0 ? 1.0 : FMath::Clamp((Now - Parts->LeftAt) / LeaveSeconds, 0.0, 1.0);
	if (Left < 1.0)
	{
		const fs_face Coming = Moment.Face;
		fs_between(&Parts->Left, &Coming, static_cast<float>(Left * Left * (3.0 - 2.0 * Left)), &Moment.Face);
	}
	const bool bAtRest = Speech == nullptr && Left == 1.0;
	if (bAtRest && Parts->bAtRest)
	{
		return;
	}
	Parts->bAtRest = bAtRest;
	Parts->Shown = Moment.Face;
	CurveNames = FaceStreamCurveNames(Names);
	FaceStreamCurveValues(Names, Moment.Face, CurveValues);
	if (bMorphTargets && GetOwner() != nullptr)
	{
		Parts->Morphs.Apply(*GetOwner(), Moment.Face);
	}
	if (bLiveLink)
	{
		Publish(Speech, Moment, Now);
	}
}

void UFaceStreamComponent::Publish(FFaceStreamSpeech* Speech, const FFaceStreamMoment& Moment, double Now)
{
	const TSharedPtr<FFaceStreamLiveLinkSource> Source = FFaceStreamLiveLinkSource::GetAdded();
	if (!Source.IsValid())
	{
		return;
	}
	if (Parts->Subject != SubjectNow())
	{
		Source->Remove(Parts->Subject);
		Parts->Subject = SubjectNow();
	}
	const int32 FramesPerSecond = Speech != nullptr ? Speech->GetCall().GetFramesPerSecond() : GetDefault<UFaceStreamSettings>()->FramesPerSecond;
	const double Today = SecondsOfDay() * FramesPerSecond;
	if (Speech != nullptr && Parts->SceneStart < 0)
	{
		Parts->SceneStart = FMath::RoundToInt64(Today - Moment.Frame);
	}
	// from there on a speech is counted by its sound, not by pictures
	const auto Push = [&](const FFaceStreamMoment& Pushed)
	{
		const double Frame = Speech != nullptr ? static_cast<double>(Parts->SceneStart) + Pushed.Frame : Today;
		FaceStreamCurveValues(Names, Pushed.Face, Parts->FrameValues);
		Source->Push(Parts->Subject, Names, Parts->FrameValues, Now,
			FQualifiedFrameTime(FFrameTime::FromDecimal(Frame), FFrameRate(static_cast<uint32>(FramesPerSecond), 1)));
	};
	const bool bWholeFrames = Speech != nullptr && Source->WantsWholeFrames();
	FFaceStreamMoment Due{Moment};
	while (bWholeFrames && Speech->TakeDue(Due))
	{
		Push(Due);
	}
	if (!bWholeFrames || Moment.bStarved)
	{
		Push(Moment);
	}
}

float UFaceStreamComponent::GetCurve(FName Curve) const
{
	const int32 Place = CurveNames.Find(Curve);
	if (CurveValues.IsValidIndex(Place))
	{
		return CurveValues[Place];
	}
	const int32 Column = fs_match_curve(TCHAR_TO_UTF8(*Curve.ToString()));
	return Column >= 0 ? Parts->Shown.weights[Column] : 0.0f;
}
