// The runner of engine_plugins/conformance: plays a plan through the plugin's own call to the client library, and tells
// what came as Live Link would be given it.
#include <chrono>
#include <fstream>
#include <sstream>

#include "FaceStreamCall.h"
#include "FaceStreamCurves.h"
#include "Json.h"
#include "StubEngine.h"
#include "wav.h"

namespace
{
using FSteady = std::chrono::steady_clock;
using FPlanCase = std::map<std::string, std::string>;

/** Pieces of 40 ms, as the plan counts them. */
constexpr int32 PieceSamples = 640;

bool ReadPlan(const char* Path, std::vector<FPlanCase>& OutCases)
{
	const std::map<std::string, std::string> Defaults = {{"case", ""}, {"server", ""}, {"token", ""}, {"audio", ""}, {"model", ""}, {"seed", ""},
		{"frame_rate", "30"}, {"slow_reader", "drop"}, {"pace", "live"}, {"pause", ""}, {"read_after", "0"}, {"cancel_after", ""}, {"draw", ""},
		{"lose", ""}, {"together", ""}};
	std::ifstream File(Path);
	for (std::string Line; std::getline(File, Line);)
	{
		FPlanCase Case = Defaults;
		std::istringstream Words(Line);
		bool bAny = false;
		for (std::string Word; Words >> Word; bAny = true)
		{
			const size_t Mark = Word.find('=');
			if (Mark == std::string::npos || Defaults.count(Word.substr(0, Mark)) == 0)
			{
				std::fprintf(stderr, "facestream-unreal: the plan has a key that is not known: %s\n", Word.c_str());
				return false;
			}
			Case[Word.substr(0, Mark)] = Word.substr(Mark + 1);
		}
		if (bAny)
		{
			OutCases.push_back(Case);
		}
	}
	return true;
}

std::vector<int64> Numbers(const std::string& Text)
{
	std::vector<int64> Found;
	std::istringstream Words(Text);
	for (std::string Word; std::getline(Words, Word, ',');)
	{
		Found.push_back(std::stoll(Word));
	}
	return Found;
}

const char* FailureName(fs_failure Kind)
{
	switch (Kind)
	{
	case FS_FAILURE_NONE:
		return "";
	case FS_FAILURE_OPTIONS:
		return "options";
	case FS_FAILURE_DENIED:
		return "denied";
	case FS_FAILURE_UNREACHABLE:
	case FS_FAILURE_BUSY:
	case FS_FAILURE_LOST:
		return "unavailable";
	case FS_FAILURE_TLS:
		return "tls";
	case FS_FAILURE_OTHER_VERSION:
	case FS_FAILURE_OTHER_CURVES:
		return "protocol";
	case FS_FAILURE_TIME_LIMIT:
		return "time_limit";
	default:
		return "server";
	}
}

class FPlayedCase
{
public:
	explicit FPlayedCase(const FPlanCase& InCase) : Case(InCase)
	{
		Options.Server = FString(StubWide(Case["server"].c_str()).c_str());
		Options.Token = FString(StubWide(Case["token"].c_str()).c_str());
		Options.Model = FString(StubWide(Case["model"].c_str()).c_str());
		Options.Seed = Case["seed"].empty() ? -1 : std::stoll(Case["seed"]);
		Options.FramesPerSecond = std::stoi(Case["frame_rate"]);
		Options.bWaitsForReader = Case["slow_reader"] == "wait";
		Call = MakeUnique<FFaceStreamCall>(Options, GFaceStreamWireRate);
		check(facestream::cli::ReadWav(Case["audio"], &Recording).empty());
	}

	void Play()
	{
		const std::vector<int64> Pause = Numbers(Case["pause"]);
		const int64 ReadAfter = std::stoll(Case["read_after"]);
		const int64 Total = static_cast<int64>(Recording.sample_count());
		const auto Started = FSteady::now();
		std::chrono::milliseconds Paused{0};
		bool bFinished = false;
		while (!IsOver())
		{
			const int64 Piece = std::min<int64>(PieceSamples, Total - Sent);
			if (Pause.size() == 2 && Paused.count() == 0 && Sent <= Pause[0] && Pause[0] < Sent + Piece)
			{
				Paused = std::chrono::milliseconds(Pause[1]);
				PausedUntil = FSteady::now() + Paused;
			}
			const auto Captured = Started + Paused + std::chrono::microseconds((Sent + Piece) * 1000000 / GFaceStreamWireRate);
			const bool bDue = Case["pace"] == "fast" || FSteady::now() >= Captured;
			if (Piece > 0 && bDue && FSteady::now() >= PausedUntil && Call->Room() >= Piece)
			{
				Call->Send(Recording.values.data() + Sent, static_cast<int32>(Piece));
				Sent += Piece;
			}
			else if (Piece == 0 && !bFinished)
			{
				Call->Finish();
				bFinished = true;
			}
			else
			{
				std::this_thread::sleep_for(std::chrono::milliseconds(1));
			}
			if (Sent >= ReadAfter || Sent == Total)
			{
				Read();
			}
		}
		Read();
		Finish();
	}

	std::string Report()
	{
		std::string Made = Json(Case["case"]) + ": {\"status\": " + Json(Status) + ", \"failure\": " + Json(Failure) + ", \"message\": " + Json(Message);
		std::vector<std::string> Names;
		for (int32 Curve = 0; Curve < FS_CURVE_COUNT && bBegan; ++Curve)
		{
			// the subject's own names, as ARKit writes them
			std::string Name = StubNarrow(*FaceStreamCurveNames(EFaceStreamNames::ARKit)[Curve].ToString());
			Name[0] = static_cast<char>(std::tolower(Name[0]));
			Names.push_back(Name);
		}
		Made += ", \"curve_names\": " + JsonList(Names) + ", \"latency_samples\": " + Json(static_cast<long long>(Latency));
		Made += ",\n\"frames\": " + JsonList(Frames, [this](const FFrame& One) {
			return "[" + Json(static_cast<long long>(One.Index)) + ", " +
				Json(static_cast<long long>(fs_sample_of(Options.FramesPerSecond, 1, GFaceStreamWireRate, One.Index))) + Values(One.Face) + "]";
		});
		Made += ",\n\"events\": " + JsonList(Events, [](const std::string& One) { return One; });
		Made += ", \"resumes\": " + Json(Resumes) + ", \"lost_samples\": " + Json(static_cast<long long>(Lost)) + ",\n\"drawn\": " + Draw() + "}";
		return Made;
	}

private:
	struct FFrame
	{
		int64 Index;
		fs_face Face;
	};

	bool IsOver()
	{
		if (!Case["cancel_after"].empty() && static_cast<int64>(Frames.size()) >= std::stoll(Case["cancel_after"]))
		{
			bCancelled = true;
		}
		return bCancelled || Call->IsOver();
	}

	void Read()
	{
		FFrame Frame;
		for (bool bMore = true; bMore;)
		{
			Call->Receive();
			bMore = false;
			while (Call->TakeDue(TNumericLimits<int64>::Max(), Frame.Index, Frame.Face))
			{
				Frames.push_back(Frame);
				bMore = true;
			}
			// what was taken makes room in the buffer, too
			bool bStarved;
			if (!Frames.empty())
			{
				Call->FaceAt(fs_sample_of(Options.FramesPerSecond, 1, GFaceStreamWireRate, Frames.back().Index), bStarved);
			}
		}
	}

	void Finish()
	{
		bBegan = Call->Info().frame_rate_numerator > 0;
		Latency = Call->Info().latency_samples;
		Resumes = Call->Resumed();
		Lost = Call->LostSamples();
		fs_failure Kind = FS_FAILURE_NONE;
		Message = StubNarrow(*Call->FailureMessage(&Kind));
		Failure = FailureName(Kind);
		Status = bCancelled ? "cancelled" : Call->State() == FS_STATE_FAILED ? "failed" : "finished";
		static const char* const Names[] = {"flush_done", "gap", "frames_dropped", "speech_started", "speech_ended", "ahead_of_real_time", "going_away"};
		for (fs_event Event; Call->TakeEvent(Event);)
		{
			if (Event.kind == FS_EVENT_RESUMED)
			{
				continue;
			}
			const bool bHasPlace = Event.kind != FS_EVENT_AHEAD_OF_REAL_TIME && Event.kind != FS_EVENT_GOING_AWAY;
			const int64 Count = Event.kind == FS_EVENT_GOING_AWAY ? 0 : Event.kind == FS_EVENT_FLUSH_DONE ? Event.id : Event.count;
			Events.push_back("[" + Json(std::string(Names[Event.kind])) + ", " + Json(static_cast<long long>(bHasPlace ? Event.position : 0)) + ", " +
				Json(static_cast<long long>(Count)) + "]");
		}
		Call.Reset();
	}

	/** Without a clock, as the plan says: what a game would draw. */
	std::string Draw()
	{
		const std::vector<int64> Steps = Numbers(Case["draw"]);
		const std::vector<int64> Lose = Numbers(Case["lose"]);
		if (Steps.size() != 3)
		{
			return "[]";
		}
		const TFaceStreamHandle<fs_jitter_buffer> Buffer(fs_jitter_buffer_create(Options.FramesPerSecond, 1, GFaceStreamWireRate, 4096));
		std::string Made = "[";
		size_t Next = 0;
		for (int64 Position = 0; Position < Steps[2]; Position += Steps[0])
		{
			while (Next < Frames.size() &&
				fs_sample_of(Options.FramesPerSecond, 1, GFaceStreamWireRate, Frames[Next].Index) <= Position + Steps[1])
			{
				const FFrame& Frame = Frames[Next++];
				if (Lose.size() != 2 || Frame.Index < Lose[0] || Frame.Index >= Lose[0] + Lose[1])
				{
					fs_jitter_buffer_add(Buffer.Get(), Frame.Index, &Frame.Face);
				}
			}
			fs_face Face;
			const int32 Starved = fs_jitter_buffer_at(Buffer.Get(), Position, &Face);
			Made += (Made.size() > 1 ? ",\n[" : "[") + Json(static_cast<long long>(Position)) + ", " + Json(Starved) + Values(Face) + "]";
		}
		return Made + "]";
	}

	/** Weights as Live Link is given them, then the rotations of the wire. */
	static std::string Values(const fs_face& Face)
	{
		TArray<float> Curves;
		FaceStreamCurveValues(EFaceStreamNames::ARKit, Face, Curves);
		std::string Made;
		for (int32 Curve = 0; Curve < FS_CURVE_COUNT; ++Curve)
		{
			Made += ", " + Json(Curves[Curve]);
		}
		for (const float* Rotation : {Face.head, Face.left_eye, Face.right_eye})
		{
			for (int32 Part = 0; Part < 4; ++Part)
			{
				Made += ", " + Json(Rotation[Part]);
			}
		}
		return Made;
	}

	FPlanCase Case;
	FFaceStreamOptions Options;
	TUniquePtr<FFaceStreamCall> Call;
	facestream::cli::Recording Recording;
	int64 Sent = 0;
	FSteady::time_point PausedUntil = FSteady::now();
	bool bCancelled = false;
	bool bBegan = false;
	int64 Latency = 0;
	int32 Resumes = 0;
	int64 Lost = 0;
	std::string Status, Failure, Message;
	std::vector<FFrame> Frames;
	std::vector<std::string> Events;
};
} // namespace

int PlayPlan(const char* Plan, const char* Report)
{
	std::vector<FPlanCase> Cases;
	if (!ReadPlan(Plan, Cases))
	{
		return 2;
	}
	std::vector<std::unique_ptr<FPlayedCase>> Played;
	std::vector<std::thread> Playing;
	for (const FPlanCase& Case : Cases)
	{
		Playing.emplace_back([One = (Played.push_back(std::make_unique<FPlayedCase>(Case)), Played.back().get())] { One->Play(); });
	}
	std::string Made = "{\"client\": \"unreal\", \"transport\": \"grpc\", \"cases\": {";
	for (size_t Place = 0; Place < Played.size(); ++Place)
	{
		Playing[Place].join();
		Made += (Place > 0 ? ",\n" : "") + Played[Place]->Report();
	}
	std::ofstream(Report) << Made << "}}\n";
	return 0;
}
