// One character on a stage without an engine: it says a WAV, and what it pushes to Live Link, plays and tells becomes a
// report.
//
//   facestream-unreal --server HOST:PORT --audio FILE.wav --report FILE.json [--model NAME] [--seed N] [--fps N]
//     [--by say|pcm|pcm16|microphone|submix|delayed-submix] [--live] [--whole-frames] [--metahuman] [--token TOKEN]
//     [--tls [ROOTS.pem]] [--no-microphone] [--no-audio] [--stop-at SECONDS] [--stall-at SECONDS] [--buffer MS] [--try-it]
//     [--emotion NAME] [--style NAME] [--act-at SECONDS --act-emotion NAME | --act-style NAME | --act-mouth STRENGTH]
//
// With two words, PLAN.txt and REPORT.json, it is the runner of engine_plugins/conformance.
//
// Without --live time stands still while the server works, so that nothing is ever late, and passes faster than ours.
#include <chrono>
#include <fstream>

#include "Animation/AnimInstance.h"
#include "AnimNode_FaceStream.h"
#include "Components/SkeletalMeshComponent.h"
#include "Containers/Ticker.h"
#include "DetailCategoryBuilder.h"
#include "DetailLayoutBuilder.h"
#include "DetailWidgetRow.h"
#include "FaceStreamComponent.h"
#include "FaceStreamSettings.h"
#include "FaceStreamSettingsDetails.h"
#include "FaceStreamSourceFactory.h"
#include "FaceStreamSourceSettings.h"
#include "GameFramework/Actor.h"
#include "Json.h"
#include "Modules/ModuleManager.h"
#include "PropertyEditorModule.h"
#include "RecordingLiveLink.h"
#include "Sound/SoundSubmix.h"
#include "Sound/SoundWave.h"
#include "wav.h"

int PlayPlan(const char* Plan, const char* Report);

namespace
{
constexpr int32 BlockSamples = 256;
constexpr double PictureSeconds = 1.0 / 60.0;

struct FAsked
{
	std::map<std::string, std::string> Values;
	bool Has(const char* Name) const { return Values.count(Name) == 1; }
	std::string Get(const char* Name, const char* Otherwise = "") const { return Has(Name) ? Values.at(Name) : Otherwise; }
};

FAsked Parse(int Count, char** Words)
{
	FAsked Asked;
	for (int Place = 1; Place < Count; ++Place)
	{
		const bool bValued = Place + 1 < Count && std::strncmp(Words[Place + 1], "--", 2) != 0;
		Asked.Values[Words[Place] + 2] = bValued ? Words[Place + 1] : "";
		Place += bValued;
	}
	return Asked;
}

FString Wide(const std::string& Text) { return FString(StubWide(Text.c_str()).c_str()); }

class FPropertyEditor final : public FPropertyEditorModule
{
public:
	virtual void RegisterCustomClassLayout(FName ClassName, FOnGetDetailCustomizationInstance Delegate) override { Pages.Add(ClassName, Delegate); }
	virtual void UnregisterCustomClassLayout(FName ClassName) override { Pages.Remove(ClassName); }
	TMap<FName, FOnGetDetailCustomizationInstance> Pages;
};
FPropertyEditor* PropertyEditor = new FPropertyEditor;
FStubModule PropertyEditorAtItsPlace("PropertyEditor", PropertyEditor);

class FPage final : public IDetailLayoutBuilder, public IDetailCategoryBuilder
{
public:
	virtual IDetailCategoryBuilder& EditCategory(FName) override { return *this; }
	virtual FDetailWidgetRow& AddCustomRow(const FText&, bool) override { return Row; }
	FDetailWidgetRow Row;
};

/** What the settings page's button answers. */
std::string TryConnection()
{
	FPage Page;
	const TSharedRef<IDetailCustomization> Details = PropertyEditor->Pages.Find(UFaceStreamSettings::StaticClass()->GetFName())->Function();
	Details->CustomizeDetails(Page);
	Page.Row.Content->Children[0]->Press();
	const auto Read = [&] { return StubNarrow(*Page.Row.Content->Children[1]->Read().ToString()); };
	const std::string Asking = Read();
	while (Read() == Asking)
	{
		FTSTicker::GetCoreTicker().StubTick();
		std::this_thread::sleep_for(std::chrono::milliseconds(5));
	}
	return Read();
}

class FStage
{
public:
	explicit FStage(const FAsked& InAsked) : Asked(InAsked), Component(FObjectInitializer()), Mesh(FObjectInitializer())
	{
		UFaceStreamSettings* Settings = GetMutableDefault<UFaceStreamSettings>();
		Settings->FramesPerSecond = std::stoi(Asked.Get("fps", "30"));
		Settings->BufferMs = std::stoi(Asked.Get("buffer", "250"));
		Settings->Model = Wide(Asked.Get("model"));
		Settings->RootCertificates.FilePath = Wide(Asked.Get("tls"));
		UFaceStreamSettings::SetServer(Wide(Asked.Get("server")), Wide(Asked.Get("token")), Asked.Has("tls"));
		StubEngine().bHasAudio = !Asked.Has("no-audio");
		StubSetLiveLink(&LiveLink);
		LiveLink.Settings.bWholeFrames = Asked.Has("whole-frames");

		Actor.StubName = FName(TEXT("Ada"));
		Component.Owner = Mesh.Owner = &Actor;
		Component.Seed = std::stoll(Asked.Get("seed", "-1"));
		Component.Controls.Emotion = Wide(Asked.Get("emotion"));
		Component.Controls.Style = Wide(Asked.Get("style"));
		Component.Names = Asked.Has("metahuman") ? EFaceStreamNames::MetaHuman : EFaceStreamNames::ARKit;
		Component.bMorphTargets = true;
		Component.OnStateChanged.AddStub([this](EFaceStreamState State, const FString& Message)
			{ States.push_back("[" + Json(static_cast<int>(State)) + ", " + Json(Now()) + ", " + Json(StubNarrow(*Message)) + "]"); });
		Component.OnLineEnded.AddStub([this] { EndedAt = Now(); });
		for (UMorphTarget* Morph : {&Jaw, &Other})
		{
			MeshAsset.Morphs.Add(Morph);
		}
		Jaw.StubName = FName(TEXT("Head_geo.JawOpen"));
		Other.StubName = FName(TEXT("Hat"));
		Mesh.Asset = &MeshAsset;
		Actor.Components.Add(&Component);
		Actor.Components.Add(&Mesh);
	}

	~FStage()
	{
		Component.EndPlay(EEndPlayReason::Destroyed);
		check(LiveLink.Removed == std::vector<std::string>{"Ada"} || LiveLink.Frames.empty());
		if (LiveLink.Source.IsValid())
		{
			LiveLink.RemoveSource(LiveLink.Source);
		}
		check(StubEngine().Audio.Voices.empty());
	}

	void Play(const facestream::cli::Recording& InRecording)
	{
		Recording = &InRecording;
		Picture();
		Begin(Asked.Get("by", "pcm"));
		const double Seconds = static_cast<double>(Recording->sample_count()) / Recording->sample_rate_hz;
		// 1.5 s for a server that does not answer, 0.5 for the tail, some for what is between
		const double Until = Now() + (bCaptures ? Seconds + 0.6 : Seconds + 4.0);
		const double StopAt = Now() + std::stod(Asked.Get("stop-at", "1e9"));
		const double ActAt = Now() + std::stod(Asked.Get("act-at", "1e9"));
		bool bActs = false;
		while (Now() < Until && EndedAt < 0)
		{
			if (Component.GetState() == EFaceStreamState::Speaking && Figures.empty())
			{
				StubEngine().Commands.at("FaceStream.Figures")();
				Figures = StubEngine().Log.back().Message;
			}
			Advance();
			if (Now() > ActAt && !bActs)
			{
				bActs = true;
				Act();
			}
			if (Now() > StopAt && Component.IsSpeaking())
			{
				Component.StopSpeaking();
			}
		}
		if (Component.IsSpeaking())
		{
			Component.StopSpeaking();
		}
		for (int Count = 0; Count < 30; ++Count)
		{
			Advance();
		}
	}

	void Write(const std::string& Path)
	{
		const auto Frame = [](const FRecordingLiveLink::FFrame& One)
		{
			return "[" + Json(One.PushedAt) + ", " + Json(One.WorldTime) + ", " + Json(One.Frame) + ", " + Json(One.SubFrame) + ", " + Json(One.Rate) + ", " +
				JsonList(One.Values) + "]";
		};
		const auto Subject = [](const FRecordingLiveLink::FSubject& One)
		{ return "{\"name\": " + Json(One.Name) + ", \"role\": " + Json(One.Role) + ", \"properties\": " + JsonList(One.Properties) + "}"; };
		const auto Said = [](const FStubLogLine& One)
		{ return "[" + Json(static_cast<int>(One.Verbosity)) + ", " + Json(One.Time) + ", " + Json(One.Message) + "]"; };
		const std::vector<float>& Heard = StubEngine().Audio.Heard;
		const auto First = std::find_if(Heard.begin(), Heard.end(), [](float Value) { return Value != 0.0f; });
		const double Latency = StubEngine().Audio.LatencySeconds(BlockSamples);
		const ILiveLinkSource* Source = LiveLink.Source.Get();
		std::ofstream(Path) << "{\"client\": \"unreal\", \"subjects\": " << JsonList(LiveLink.Subjects, Subject) << ",\n\"frames\": "
							<< JsonList(LiveLink.Frames, Frame) << ",\n\"log\": " << JsonList(StubEngine().Log, Said) << ",\n\"states\": "
							<< JsonList(States, [](const std::string& One) { return One; }) << ",\n\"ended_at\": " << Json(EndedAt) << ", \"began_at\": "
							<< Json(BeganAt) << ", \"audio_began_at\": "
							<< Json(AudioEpoch + static_cast<double>(First - Heard.begin()) / StubEngine().Audio.SampleRate + Latency)
							<< ", \"heard\": " << JsonList(std::vector<float>(First, Heard.end())) << ",\n\"figures\": " << Json(Figures)
							<< ", \"source\": " << JsonList(std::vector<std::string>{
								   Source ? StubNarrow(*Source->GetSourceType().ToString()) : "", Source ? StubNarrow(*Source->GetSourceMachineName().ToString()) : "",
								   Source ? StubNarrow(*Source->GetSourceStatus().ToString()) : ""})
							<< ",\n\"morphs_agree\": " << Json(bMorphsAgree) << ", \"graph_agrees\": " << Json(bGraphAgrees) << ", \"try_it\": " << Json(Tried)
							<< "}\n";
	}

	std::string Tried;

private:
	static double Now() { return StubEngine().Time; }

	void Begin(const std::string& By)
	{
		BeganAt = Now();
		const int32 Rate = Recording->sample_rate_hz;
		const int32 Channels = Recording->channel_count;
		bCaptures = By == "microphone" || By.find("submix") != std::string::npos;
		if (By == "microphone")
		{
			StubEngine().MicrophoneRate = Asked.Has("no-microphone") ? 0 : Rate;
			Component.ListenToMicrophone();
		}
		else if (bCaptures)
		{
			StubEngine().Audio.SampleRate = Rate;
			Component.ListenToSubmix(&Submix, By == "delayed-submix");
		}
		else if (By == "say")
		{
			for (const float Value : Recording->values)
			{
				Wave.StubSamples.push_back(static_cast<int16>(std::lrint(Value * 32768.0f)));
			}
			Wave.StubRate = Rate;
			Wave.StubChannels = Channels;
			Component.Say(&Wave);
		}
		else
		{
			Component.StartStream(Rate, Channels);
		}
	}

	/** What a Blueprint does in the middle of a line. */
	void Act()
	{
		if (Asked.Has("act-emotion"))
		{
			Component.SetEmotion(Wide(Asked.Get("act-emotion")), 0.0f);
		}
		else if (Asked.Has("act-style"))
		{
			Component.SetStyle(Wide(Asked.Get("act-style")), 1.0f);
		}
		else
		{
			FFaceStreamControls Controls = Component.Controls;
			Controls.MouthStrength = std::stof(Asked.Get("act-mouth"));
			Component.SetControls(Controls);
		}
	}

	/** A sixtieth of a second: audio in its blocks, then a picture. */
	void Advance()
	{
		if (!Asked.Has("live"))
		{
			while (!Component.IsFaceReady())
			{
				std::this_thread::sleep_for(std::chrono::milliseconds(2));
				Picture();
			}
		}
		const double Next = Now() + PictureSeconds;
		while (AudioEpoch + static_cast<double>(Rendered + BlockSamples) / StubEngine().Audio.SampleRate <= Next)
		{
			Rendered += BlockSamples;
			StubEngine().Time = AudioEpoch + static_cast<double>(Rendered) / StubEngine().Audio.SampleRate;
			StubEngine().Audio.Render(BlockSamples);
			Capture();
		}
		StubEngine().Time = Next;
		Push();
		if (Asked.Has("live"))
		{
			std::this_thread::sleep_until(Started + std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(Next - AudioEpoch)));
		}
		Picture();
	}

	/** What was captured until now. */
	void Capture()
	{
		const size_t Until = std::min(Recording->sample_count(), static_cast<size_t>(Recording->sample_rate_hz * (Now() - BeganAt)));
		if (!bCaptures || Until <= Given)
		{
			return;
		}
		const float* Samples = Recording->values.data() + Given * static_cast<size_t>(Recording->channel_count);
		const int32 Count = static_cast<int32>(Until - Given);
		if (StubEngine().Microphone)
		{
			std::thread([&] { StubEngine().Microphone(Samples, Count, Recording->channel_count, Recording->sample_rate_hz, Now(), false); }).join();
		}
		else
		{
			StubEngine().Audio.PlayOnSubmix(Submix, Samples, Count);
		}
		Given = Until;
	}

	/** Lines come in pieces of a tenth of a second, faster than they are heard, but for a stall that was asked for. */
	void Push()
	{
		const std::string By = Asked.Get("by", "pcm");
		if (bCaptures || By == "say" || Given == Recording->sample_count())
		{
			return;
		}
		const double StallAt = std::stod(Asked.Get("stall-at", "1e9"));
		const bool bStalls = static_cast<double>(Given) / Recording->sample_rate_hz >= StallAt && Now() < BeganAt + StallAt + 1.5;
		if (bStalls)
		{
			return;
		}
		const size_t Count = std::min(Recording->sample_count() - Given, static_cast<size_t>(Recording->sample_rate_hz / 10));
		const size_t Channels = static_cast<size_t>(Recording->channel_count);
		TArray<float> Samples;
		Samples.Append(Recording->values.data() + Given * Channels, static_cast<int32>(Count * Channels));
		if (By == "pcm16")
		{
			TArray<uint8> Bytes;
			for (const float Value : Samples)
			{
				const int16 Word = static_cast<int16>(std::lrint(Value * 32768.0f));
				Bytes.Add(static_cast<uint8>(Word & 0xFF));
				Bytes.Add(static_cast<uint8>((Word >> 8) & 0xFF));
			}
			Component.PushPcm16(Bytes);
		}
		else
		{
			Component.PushPcm(Samples);
		}
		Given += Count;
		if (Given == Recording->sample_count())
		{
			Component.EndOfLine();
		}
	}

	void Picture()
	{
		FActorComponentTickFunction Tick;
		Component.TickComponent(static_cast<float>(PictureSeconds), LEVELTICK_All, &Tick);
		const float Value = Component.GetCurve(FName(TEXT("jawOpen")));
		const float* Moved = Mesh.Morphs.Find(Jaw.StubName);
		bMorphsAgree &= Moved != nullptr && *Moved == Value && Mesh.Morphs.Num() == 1;
		Instance.Owner = &Actor;
		FPoseContext Pose;
		Node.PreUpdate(&Instance);
		Node.Evaluate_AnyThread(Pose);
		bGraphAgrees &= Pose.Curve.Values.Num() == Component.GetCurveNames().Num();
		for (int32 Place = 0; Place < Component.GetCurveNames().Num(); ++Place)
		{
			bGraphAgrees &= Pose.Curve.Get(Component.GetCurveNames()[Place]) == Component.GetCurveValues()[Place];
		}
	}

	const FAsked& Asked;
	const facestream::cli::Recording* Recording = nullptr;
	FRecordingLiveLink LiveLink;
	AActor Actor;
	UFaceStreamComponent Component;
	USkeletalMeshComponent Mesh;
	USkeletalMesh MeshAsset;
	UMorphTarget Jaw, Other;
	USoundSubmix Submix;
	USoundWave Wave;
	UAnimInstance Instance;
	FAnimNode_FaceStream Node;

	const double AudioEpoch = StubEngine().Time;
	const std::chrono::steady_clock::time_point Started = std::chrono::steady_clock::now();
	int64 Rendered = 0;
	size_t Given = 0;
	bool bCaptures = false;
	bool bMorphsAgree = true;
	bool bGraphAgrees = true;
	double BeganAt = 0.0;
	double EndedAt = -1.0;
	std::vector<std::string> States;
	std::string Figures;
};
} // namespace

int main(int Count, char** Words)
{
	if (Count == 3)
	{
		return PlayPlan(Words[1], Words[2]);
	}
	const FAsked Asked = Parse(Count, Words);
	facestream::cli::Recording Recording;
	const std::string Problem = facestream::cli::ReadWav(Asked.Get("audio"), &Recording);
	if (!Problem.empty() || !Asked.Has("server") || !Asked.Has("report"))
	{
		std::fprintf(stderr, "facestream-unreal: %s\n", Problem.empty() ? "needs --server, --audio and --report" : Problem.c_str());
		return 2;
	}
	for (const char* Name : {"FaceStream", "FaceStreamEditor"})
	{
		StubModule(Name)->StartupModule();
	}
	// a source that the Live Link window would add is the one that components find
	check(GetDefault<UFaceStreamSourceFactory>()->CreateSource(FString()).Get() != nullptr);
	{
		FStage Stage(Asked);
		Stage.Tried = Asked.Has("try-it") ? TryConnection() : "";
		Stage.Play(Recording);
		Stage.Write(Asked.Get("report"));
	}
	for (const char* Name : {"FaceStreamEditor", "FaceStream"})
	{
		StubModule(Name)->ShutdownModule();
	}
	return 0;
}
