// What a character is given to say or to listen to.
#include "AudioDevice.h"
#include "FaceStreamComponent.h"
#include "FaceStreamConnection.h"
#include "FaceStreamParts.h"
#include "FaceStreamSettings.h"
#include "Sound/SoundSubmix.h"
#include "Sound/SoundWave.h"

namespace
{
constexpr int32 LowestRate = 8000;
constexpr int32 HighestRate = 192000;
} // namespace

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
