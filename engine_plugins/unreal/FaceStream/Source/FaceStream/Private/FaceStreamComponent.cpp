#include "FaceStreamComponent.h"

#include "AudioDevice.h"
#include "FaceStreamCapture.h"
#include "FaceStreamClipReader.h"
#include "FaceStreamConnection.h"
#include "FaceStreamCurves.h"
#include "FaceStreamLine.h"
#include "FaceStreamLiveLinkSource.h"
#include "FaceStreamMicrophone.h"
#include "FaceStreamMorphs.h"
#include "FaceStreamSettings.h"
#include "FaceStreamStats.h"
#include "FaceStreamSubmixTap.h"
#include "FaceStreamVoice.h"
#include "GameFramework/Actor.h"
#include "HAL/PlatformTime.h"
#include "Misc/App.h"
#include "Misc/DateTime.h"
#include "Sound/SoundSubmix.h"
#include "Sound/SoundWave.h"

namespace
{
// A face that is left alone goes to rest as one whose frames are missing.
constexpr double LeaveSeconds = 0.25;
constexpr int32 LowestRate = 8000;
constexpr int32 HighestRate = 192000;

/** Seconds since midnight, of the engine's timecode where it has one. */
double SecondsOfDay()
{
	const TOptional<FQualifiedFrameTime> Timecode = FApp::GetCurrentFrameTime();
	return Timecode.IsSet() ? Timecode->AsSeconds() : FDateTime::Now().GetTimeOfDay().GetTotalSeconds();
}

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

/** What is said or heard, and the face that is shown. */
struct FFaceStreamParts
{
	TSharedRef<FFaceStreamVoice, ESPMode::ThreadSafe> Voice = MakeShared<FFaceStreamVoice, ESPMode::ThreadSafe>();
	TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe> Speech;
	TSharedPtr<FFaceStreamLine, ESPMode::ThreadSafe> Line; // the speech, where it is a line
	TUniquePtr<FFaceStreamMicrophone> Microphone;
	TUniquePtr<FFaceStreamSubmixTap> SubmixTap;
	TUniquePtr<FFaceStreamClipReader> ClipReader;
	FFaceStreamMorphs Morphs;
	int32 LineChannels = 1;
	TArray<float> Mono;
	TArray<float> FrameValues;

	fs_face Shown = FaceStreamRest();
	fs_face Left = FaceStreamRest(); // the face when the last speech was ended
	double LeftAt = -1.0;
	bool bAtRest = false;
	int64 Dropped = 0; // frames that the server could not send in time
	int64 SceneStart = -1; // frame of the day at which this speech began
	FName Subject; // in Live Link, none before the first face
};

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

void UFaceStreamComponent::Say(USoundWave* Sound)
{
	Release();
	if (Sound == nullptr)
	{
		Fail(TEXT("Say was given no sound"));
		return;
	}
	Parts->ClipReader = MakeUnique<FFaceStreamClipReader>(Sound);
}

bool UFaceStreamComponent::StartStream(int32 SampleRate, int32 NumInputChannels)
{
	Release();
	if (SampleRate < LowestRate || SampleRate > HighestRate || NumInputChannels < 1)
	{
		Fail(FString::Printf(TEXT("a line of %d Hz and %d channels; allowed: %d to %d Hz, one channel or more"), SampleRate, NumInputChannels,
			LowestRate, HighestRate));
		return false;
	}
	FFaceStreamSound Sound;
	FFaceStreamOptions Options;
	if (!FindSound(Sound) || !FindOptions(Options))
	{
		return false;
	}
	Parts->LineChannels = NumInputChannels;
	Parts->Line = MakeShared<FFaceStreamLine, ESPMode::ThreadSafe>(Options, Sound, SampleRate);
	Begin(Parts->Line.ToSharedRef());
	return true;
}

void UFaceStreamComponent::PushPcm(const TArray<float>& Samples)
{
	if (!Parts->Line.IsValid())
	{
		return;
	}
	const int32 Channels = Parts->LineChannels;
	if (Channels == 1)
	{
		Parts->Line->Push(Samples.GetData(), Samples.Num());
		return;
	}
	TArray<float>& Mono = Parts->Mono;
	Mono.SetNumUninitialized(Samples.Num() / Channels);
	for (int32 Place = 0; Place < Mono.Num(); ++Place)
	{
		float Sum = 0.0f;
		for (int32 Channel = 0; Channel < Channels; ++Channel)
		{
			Sum += Samples[Place * Channels + Channel];
		}
		Mono[Place] = Sum / static_cast<float>(Channels);
	}
	Parts->Line->Push(Mono.GetData(), Mono.Num());
}

void UFaceStreamComponent::PushPcm16(const TArray<uint8>& Bytes)
{
	constexpr float FullScale = 32768.0f;
	TArray<float> Samples;
	Samples.SetNumUninitialized(Bytes.Num() / 2);
	for (int32 Place = 0; Place < Samples.Num(); ++Place)
	{
		const uint16 Word = static_cast<uint16>(Bytes[2 * Place] | (Bytes[2 * Place + 1] << 8));
		Samples[Place] = static_cast<float>(static_cast<int16>(Word)) / FullScale;
	}
	PushPcm(Samples);
}

void UFaceStreamComponent::EndOfLine()
{
	if (Parts->Line.IsValid())
	{
		Parts->Line->End();
	}
}

bool UFaceStreamComponent::ListenToMicrophone()
{
	Release();
	TUniquePtr<FFaceStreamMicrophone> Microphone = MakeUnique<FFaceStreamMicrophone>();
	const int32 Rate = Microphone->FindRate();
	if (Rate < LowestRate || Rate > HighestRate)
	{
		Fail(TEXT("no microphone; plug one in, or allow this program to use it in the settings of the system"));
		return false;
	}
	FFaceStreamOptions Options;
	if (!FindOptions(Options))
	{
		return false;
	}
	const double Buffer = GetDefault<UFaceStreamSettings>()->BufferMs * 1e-3;
	const TSharedRef<FFaceStreamCapture, ESPMode::ThreadSafe> Capture =
		MakeShared<FFaceStreamCapture, ESPMode::ThreadSafe>(Options, FFaceStreamSound{Rate, Buffer, false}, Buffer);
	if (!Microphone->Open(Capture))
	{
		Fail(TEXT("the microphone can not be opened; another program may hold it, or the system may not allow it"));
		return false;
	}
	Parts->Microphone = MoveTemp(Microphone);
	Begin(Capture);
	return true;
}

bool UFaceStreamComponent::ListenToSubmix(USoundSubmix* Submix, bool bPlayDelayed)
{
	Release();
	FFaceStreamSound Sound;
	FFaceStreamOptions Options;
	if (Submix == nullptr)
	{
		Fail(TEXT("Listen To Submix was given no submix"));
		return false;
	}
	if (!FindSound(Sound) || !FindOptions(Options))
	{
		return false;
	}
	const double Buffer = GetDefault<UFaceStreamSettings>()->BufferMs * 1e-3;
	Sound.bPlayed = bPlayDelayed;
	if (!bPlayDelayed)
	{
		Sound.DelaySeconds = Buffer;
	}
	const TSharedRef<FFaceStreamCapture, ESPMode::ThreadSafe> Capture =
		MakeShared<FFaceStreamCapture, ESPMode::ThreadSafe>(Options, Sound, Buffer);
	Parts->SubmixTap = MakeUnique<FFaceStreamSubmixTap>(*GetAudioDevice(), *Submix, Capture);
	Begin(Capture);
	return true;
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

bool UFaceStreamComponent::FindSound(FFaceStreamSound& OutSound)
{
	const FAudioDevice* Device = GetAudioDevice();
	if (Device == nullptr || Device->SampleRate <= 0)
	{
		Fail(TEXT("there is no audio device, and faces follow what one plays; start without -nosound"));
		return false;
	}
	OutSound.Rate = Device->SampleRate;
	// the mixer's buffers, two of this voice's own, and what the settings add
	const FAudioPlatformSettings& Platform = Device->PlatformSettings;
	const int32 Samples = Platform.NumBuffers * Platform.CallbackBufferFrameSize + 2 * FFaceStreamGenerator::BlockSamples;
	OutSound.DelaySeconds = static_cast<double>(Samples) / OutSound.Rate + GetDefault<UFaceStreamSettings>()->OutputLatencyMs * 1e-3;
	return true;
}

bool UFaceStreamComponent::FindOptions(FFaceStreamOptions& OutOptions)
{
	FString Message;
	if (!FaceStreamOptionsOfSettings(OutOptions, Message))
	{
		Fail(Message);
		return false;
	}
	OutOptions.Controls = Controls;
	OutOptions.Seed = Seed;
	if (!Model.IsEmpty())
	{
		OutOptions.Model = Model;
	}
	return true;
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

void UFaceStreamComponent::EndPlay(const EEndPlayReason::Type Reason)
{
	Release();
	FFaceStreamLiveLinkSource::Get()->Remove(Parts->Subject);
	Super::EndPlay(Reason);
}
