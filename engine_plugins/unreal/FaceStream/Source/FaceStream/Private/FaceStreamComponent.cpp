#include "FaceStreamComponent.h"

#include "FaceStreamLiveLinkSource.h"
#include "FaceStreamParts.h"
#include "FaceStreamSettings.h"
#include "FaceStreamStats.h"
#include "GameFramework/Actor.h"
#include "HAL/PlatformTime.h"

namespace
{
EFaceStreamState StateOf(fs_state State)
{
	switch (State)
	{
	case FS_STATE_CONNECTING:
		return EFaceStreamState::Connecting;
	case FS_STATE_RECONNECTING:
		return EFaceStreamState::Reconnecting;
	case FS_STATE_FAILED:
		return EFaceStreamState::Failed;
	default:
		return EFaceStreamState::Speaking;
	}
}
} // namespace

UFaceStreamComponent::UFaceStreamComponent(const FObjectInitializer& ObjectInitializer)
	: Super(ObjectInitializer), Parts(MakeShared<FFaceStreamParts>())
{
	NumChannels = 1;
	PreferredBufferLength = FFaceStreamGenerator::BlockSamples;
	PrimaryComponentTick.bCanEverTick = true;
	PrimaryComponentTick.TickGroup = TG_PrePhysics; // before the animation of this picture
}

ISoundGeneratorPtr UFaceStreamComponent::CreateSoundGenerator(const FSoundGeneratorInitParams&)
{
	return MakeShared<FFaceStreamGenerator, ESPMode::ThreadSafe>(Parts->Voice);
}

bool UFaceStreamComponent::IsSpeaking() const
{
	return Parts->Speech.IsValid() || Parts->ClipReader.IsValid();
}

bool UFaceStreamComponent::IsFaceReady() const
{
	return !Parts->Speech.IsValid() || Parts->Speech->IsFaceReady();
}

void UFaceStreamComponent::StopSpeaking()
{
	Release();
	SetState(EFaceStreamState::Silent);
}

void UFaceStreamComponent::SetEmotion(const FString& Emotion, float Spread)
{
	Controls.Emotion = Emotion;
	Controls.EmotionSpread = Spread;
	SetControls(FFaceStreamControls(Controls));
}

void UFaceStreamComponent::SetStyle(const FString& Style, float Strength)
{
	Controls.Style = Style;
	Controls.StyleStrength = Strength;
	SetControls(FFaceStreamControls(Controls));
}

void UFaceStreamComponent::SetControls(const FFaceStreamControls& NewControls)
{
	Controls = NewControls;
	if (Parts->Speech.IsValid())
	{
		Parts->Speech->GetCall().Control(Controls);
	}
}

FString UFaceStreamComponent::DescribeFigures() const
{
	const FString Name = SubjectNow().ToString();
	const FString StateName = UEnum::GetValueAsString(State);
	if (!Parts->Speech.IsValid())
	{
		return FString::Printf(TEXT("%s: %s"), *Name, *StateName);
	}
	const FFaceStreamSpeech& Speech = *Parts->Speech;
	const FFaceStreamCall& Call = Speech.GetCall();
	return FString::Printf(TEXT("%s: %s, model %s, %.2f s heard, %lld frames received, %lld dropped, %d wait, %d calls resumed, %lld samples lost"), *Name,
		*StateName, UTF8_TO_TCHAR(Call.Info().model), Speech.GetSecondsHeard(), static_cast<long long>(Call.FramesReceived()), static_cast<long long>(Parts->Dropped), Call.FramesWaiting(), Call.Resumed(), static_cast<long long>(Call.LostSamples()));
}

FName UFaceStreamComponent::SubjectNow() const
{
	return SubjectName.IsNone() && GetOwner() != nullptr ? GetOwner()->GetFName() : SubjectName;
}

void UFaceStreamComponent::Begin(const TSharedRef<FFaceStreamSpeech, ESPMode::ThreadSafe>& Speech)
{
	Parts->Speech = Speech;
	Parts->Dropped = 0;
	Parts->SceneStart = -1;
	if (Speech->GetSound().bPlayed)
	{
		Parts->Voice->Set(Speech);
		Start();
	}
	FFaceStreamLiveLinkSource::Get()->SetFault(FString());
	SetState(EFaceStreamState::Connecting);
}

void UFaceStreamComponent::Release()
{
	Parts->ClipReader.Reset();
	Parts->Microphone.Reset();
	if (Parts->SubmixTap.IsValid())
	{
		Parts->SubmixTap->Close(GetAudioDevice());
		Parts->SubmixTap.Reset();
	}
	if (!Parts->Speech.IsValid())
	{
		return;
	}
	Parts->Voice->Set(nullptr);
	if (Parts->Speech->GetSound().bPlayed)
	{
		Stop();
	}
	Parts->Line.Reset();
	FaceStreamEndInBackground(MoveTemp(Parts->Speech));
	Parts->Left = Parts->Shown;
	Parts->LeftAt = FPlatformTime::Seconds();
}

void UFaceStreamComponent::SetState(EFaceStreamState NewState, const FString& Message)
{
	if (NewState != State)
	{
		State = NewState;
		OnStateChanged.Broadcast(State, Message);
	}
}

void UFaceStreamComponent::Fail(const FString& Message)
{
	UE_LOG(LogFaceStream, Error, TEXT("%s: %s"), *SubjectNow().ToString(), *Message);
	FFaceStreamLiveLinkSource::Get()->SetFault(Message);
	SetState(EFaceStreamState::Failed, Message);
}

void UFaceStreamComponent::TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction)
{
	SCOPE_CYCLE_COUNTER(STAT_FaceStreamTick);
	Super::TickComponent(DeltaTime, TickType, ThisTickFunction);
	FFaceStreamClipReader::FClip Clip;
	if (Parts->ClipReader.IsValid() && Parts->ClipReader->Take(Clip) && StartStream(Clip.SampleRate, Clip.NumChannels))
	{
		PushPcm(Clip.Interleaved);
		EndOfLine();
	}
	if (Parts->Speech.IsValid())
	{
		FFaceStreamSpeech& Speech = *Parts->Speech;
		Speech.Advance(FaceStreamNow());
		for (fs_event Event; Speech.GetCall().TakeEvent(Event);)
		{
			Parts->Dropped += Event.kind == FS_EVENT_FRAMES_DROPPED ? Event.count : 0;
		}
		const EFaceStreamState Now = StateOf(Speech.GetCall().State());
		if (Now == EFaceStreamState::Failed && State != EFaceStreamState::Failed)
		{
			Fail(Speech.GetCall().FailureMessage());
		}
		else if (State != EFaceStreamState::Failed)
		{
			SetState(Now);
		}
		INC_DWORD_STAT(STAT_FaceStreamSpeaking);
		INC_DWORD_STAT_BY(STAT_FaceStreamWaiting, Speech.GetCall().FramesWaiting());
	}
	Show();
	if (Parts->Speech.IsValid() && Parts->Speech->IsOver())
	{
		const fs_state Last = Parts->Speech->GetCall().State();
		if (Last == FS_STATE_CONNECTING || Last == FS_STATE_RECONNECTING)
		{
			Fail(FString::Printf(TEXT("there was no connection to %s when the line was over; is the server running there?"),
				*GetDefault<UFaceStreamSettings>()->Server));
		}
		Release();
		if (State != EFaceStreamState::Failed)
		{
			SetState(EFaceStreamState::Silent);
		}
		OnLineEnded.Broadcast();
	}
}

void UFaceStreamComponent::EndPlay(const EEndPlayReason::Type Reason)
{
	Release();
	FFaceStreamLiveLinkSource::Get()->Remove(Parts->Subject);
	Super::EndPlay(Reason);
}
