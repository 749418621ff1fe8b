#include "StubEngine.h"

#include <fstream>
#include <iterator>

#include "AudioCaptureCore.h"
#include "Components/SynthComponent.h"
#include "Containers/Ticker.h"
#include "Features/IModularFeatures.h"
#include "HAL/IConsoleManager.h"
#include "ILiveLinkClient.h"
#include "Misc/App.h"
#include "Misc/FileHelper.h"
#include "Modules/ModuleManager.h"
#include "SampleBufferIO.h"
#include "Sound/SoundSubmix.h"
#include "Sound/SoundWave.h"
#include "UObject/UObjectIterator.h"
#include "UObject/WeakObjectPtrTemplates.h"

FStubEngine& StubEngine()
{
	static FStubEngine Engine;
	return Engine;
}

bool GIsEditor = true;
double FPlatformTime::Seconds() { return StubEngine().Time; }

// text: UTF-8 and UTF-16, as far as the basic plane
std::string StubNarrow(const TCHAR* Text)
{
	std::string Made;
	for (; *Text != 0; ++Text)
	{
		const unsigned Code = *Text;
		if (Code < 0x80)
		{
			Made += static_cast<char>(Code);
		}
		else if (Code < 0x800)
		{
			Made += {static_cast<char>(0xC0 | (Code >> 6)), static_cast<char>(0x80 | (Code & 0x3F))};
		}
		else
		{
			Made += {static_cast<char>(0xE0 | (Code >> 12)), static_cast<char>(0x80 | ((Code >> 6) & 0x3F)), static_cast<char>(0x80 | (Code & 0x3F))};
		}
	}
	return Made;
}

std::u16string StubWide(const char* Text)
{
	std::u16string Made;
	for (const auto* Byte = reinterpret_cast<const unsigned char*>(Text); *Byte != 0; ++Byte)
	{
		unsigned Code = *Byte;
		if (Code >= 0xE0 && Byte[1] != 0 && Byte[2] != 0)
		{
			Code = (Code & 0xF) << 12 | (Byte[1] & 0x3Fu) << 6 | (Byte[2] & 0x3Fu);
			Byte += 2;
		}
		else if (Code >= 0xC0 && Byte[1] != 0)
		{
			Code = (Code & 0x1F) << 6 | (Byte[1] & 0x3Fu);
			Byte += 1;
		}
		Made += static_cast<char16_t>(Code);
	}
	return Made;
}

std::string StubFormat(const TCHAR* Format, const std::vector<FStubArgument>& Arguments)
{
	const std::string Pattern = StubNarrow(Format);
	std::string Made;
	size_t Next = 0;
	for (size_t Place = 0; Place < Pattern.size(); ++Place)
	{
		if (Pattern[Place] != '%' || Pattern[Place + 1] == '%')
		{
			Made += Pattern[Place];
			Place += Pattern[Place] == '%';
			continue;
		}
		std::string One;
		while (One.empty() || std::strchr("sdfu", One.back()) == nullptr)
		{
			One += Pattern[Place++];
		}
		--Place;
		check(Next < Arguments.size());
		const FStubArgument& Argument = Arguments[Next++];
		const char Kind = One.back();
		check(Kind == Argument.Kind || (Kind == 'u' && Argument.Kind == 'd'));
		if (Kind == 's')
		{
			Made += Argument.Text;
			continue;
		}
		char Number[64];
		while (One.find('l') != std::string::npos)
		{
			One.erase(One.find('l'), 1);
		}
		if (Kind != 'f')
		{
			One.insert(One.size() - 1, "ll");
			std::snprintf(Number, sizeof Number, One.c_str(), Argument.Integer);
		}
		else
		{
			std::snprintf(Number, sizeof Number, One.c_str(), Argument.Number);
		}
		Made += Number;
	}
	check(Next == Arguments.size());
	return Made;
}

void StubLog(const FStubLogCategory& Category, EStubVerbosity Verbosity, const std::string& Message)
{
	StubEngine().Log.push_back({Category.Name, Verbosity, Message, StubEngine().Time});
	check(Verbosity != EStubVerbosity::Fatal);
}

// objects
static std::vector<UObject*>& Objects()
{
	static std::vector<UObject*> All;
	return All;
}
const std::vector<UObject*>& StubObjects() { return Objects(); }
bool StubIsAlive(const UObject* Object) { return std::find(Objects().begin(), Objects().end(), Object) != Objects().end(); }
UObject::UObject() { Objects().push_back(this); }
UObject::~UObject() { Objects().erase(std::find(Objects().begin(), Objects().end(), this)); }
UClass* UObject::StaticClass()
{
	static UClass Made(TEXT("Object"), nullptr);
	return &Made;
}

// audio
FAudioDevice* USynthComponent::GetAudioDevice() const { return StubEngine().bHasAudio ? &StubEngine().Audio : nullptr; }
void USynthComponent::Start()
{
	int32 Rate = StubEngine().Audio.SampleRate;
	check(Init(Rate) && NumChannels == 1);
	FSoundGeneratorInitParams Parameters;
	Parameters.SampleRate = static_cast<float>(Rate);
	Parameters.NumChannels = NumChannels;
	StubEngine().Audio.Voices[this] = CreateSoundGenerator(Parameters);
}
void USynthComponent::Stop() { StubEngine().Audio.Voices.erase(this); }

void FStubAudioDevice::RegisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe> Listener, USoundSubmix& Submix)
{
	Listeners[&Submix].push_back(Listener);
}
void FStubAudioDevice::UnregisterSubmixBufferListener(TSharedRef<ISubmixBufferListener, ESPMode::ThreadSafe>, USoundSubmix& Submix)
{
	check(Listeners[&Submix].size() == 1);
	Listeners.erase(&Submix);
}
double FStubAudioDevice::LatencySeconds(int32 BlockSamples) const
{
	return static_cast<double>(PlatformSettings.NumBuffers * PlatformSettings.CallbackBufferFrameSize + 2 * BlockSamples) / SampleRate;
}
void FStubAudioDevice::Render(int32 BlockSamples)
{
	std::vector<float> Mixed(static_cast<size_t>(BlockSamples)), One(Mixed.size());
	// on a thread of its own, as the mixer's
	std::thread([&] {
		for (const auto& [Owner, Voice] : Voices)
		{
			std::fill(One.begin(), One.end(), 99.0f);
			check(Voice->OnGenerateAudio(One.data(), BlockSamples) == BlockSamples);
			std::transform(Mixed.begin(), Mixed.end(), One.begin(), Mixed.begin(), std::plus<>());
		}
	}).join();
	Heard.insert(Heard.end(), Mixed.begin(), Mixed.end());
}
void FStubAudioDevice::PlayOnSubmix(USoundSubmix& Submix, const float* Mono, int32 Count)
{
	std::vector<float> Stereo;
	for (int32 Place = 0; Place < Count; ++Place)
	{
		Stereo.insert(Stereo.end(), {Mono[Place], Mono[Place]});
	}
	for (const auto& Listener : Listeners[&Submix])
	{
		std::thread([&] { Listener->OnNewSubmixBuffer(&Submix, Stereo.data(), 2 * Count, 2, SampleRate, StubEngine().Time); }).join();
	}
}

namespace Audio
{
bool FAudioCapture::GetCaptureDeviceInfo(FCaptureDeviceInfo& OutInfo, int32)
{
	OutInfo.InputChannels = 1;
	OutInfo.PreferredSampleRate = StubEngine().MicrophoneRate;
	return StubEngine().MicrophoneRate != 0;
}
bool FAudioCapture::OpenAudioCaptureStream(const FAudioCaptureDeviceParams&, FOnAudioCaptureFunction OnCapture, uint32)
{
	StubEngine().Microphone = OnCapture;
	return true;
}
bool FAudioCapture::StartStream() { return true; }
bool FAudioCapture::StopStream() { return true; }
bool FAudioCapture::CloseStream()
{
	StubEngine().Microphone = nullptr;
	return true;
}
bool FAudioCapture::IsStreamOpen() const { return static_cast<bool>(StubEngine().Microphone); }

void FSoundWavePCMLoader::LoadSoundWave(
	USoundWave* InSoundWave, TFunction<void(const USoundWave* SoundWave, const FSampleBuffer& OutSampleBuffer)> OnLoaded, bool)
{
	Wave = InSoundWave;
	Loaded = OnLoaded;
}
void FSoundWavePCMLoader::Update()
{
	if (++Updates == 2)
	{
		Loaded(Wave, FSampleBuffer(Wave->StubSamples.data(), static_cast<int32>(Wave->StubSamples.size()), Wave->StubChannels, Wave->StubRate));
	}
}
} // namespace Audio

// what is left of the engine
TOptional<FQualifiedFrameTime> FApp::GetCurrentFrameTime() { return {}; }
bool FFileHelper::LoadFileToString(FString& Result, const TCHAR* Filename)
{
	std::ifstream File(StubNarrow(Filename), std::ios::binary);
	const std::string Text(std::istreambuf_iterator<char>(File), {});
	Result = FString(StubWide(Text.c_str()).c_str());
	return File.good() || File.eof();
}
FAutoConsoleCommand::FAutoConsoleCommand(const TCHAR* Name, const TCHAR*, const FConsoleCommandDelegate& Command)
{
	StubEngine().Commands[StubNarrow(Name)] = Command.Function;
}

static std::map<std::string, IModuleInterface*>& Modules()
{
	static std::map<std::string, IModuleInterface*> All;
	return All;
}
FStubModule::FStubModule(const char* Name, IModuleInterface* Module) { Modules()[Name] = Module; }
IModuleInterface* StubModule(const char* Name) { return Modules()[Name]; }

FName ILiveLinkClient::ModularFeatureName(TEXT("LiveLinkClient"));
static ILiveLinkClient* LiveLink = nullptr;
void StubSetLiveLink(ILiveLinkClient* Client) { LiveLink = Client; }
class FStubFeatures final : public IModularFeatures
{
	virtual bool IsModularFeatureAvailable(const FName Type) override { return LiveLink != nullptr && Type == ILiveLinkClient::ModularFeatureName; }
	virtual IModularFeature* StubFeature(const FName) override { return LiveLink; }
};
IModularFeatures& IModularFeatures::Get()
{
	static FStubFeatures Features;
	return Features;
}

static std::map<int32, std::function<bool(float)>>& Tickers()
{
	static std::map<int32, std::function<bool(float)>> All;
	return All;
}
FTSTicker& FTSTicker::GetCoreTicker()
{
	static FTSTicker Ticker;
	return Ticker;
}
FTSTicker::FDelegateHandle FTSTicker::AddTicker(const FTickerDelegate& InDelegate, float)
{
	static int32 Next = 1;
	Tickers()[Next] = InDelegate.Function;
	return {Next++};
}
void FTSTicker::RemoveTicker(FDelegateHandle Handle) { Tickers().erase(Handle.Id); }
void FTSTicker::StubTick()
{
	for (const auto& [Id, Function] : std::map<int32, std::function<bool(float)>>(Tickers()))
	{
		if (!Function(0.0f))
		{
			Tickers().erase(Id);
		}
	}
}
