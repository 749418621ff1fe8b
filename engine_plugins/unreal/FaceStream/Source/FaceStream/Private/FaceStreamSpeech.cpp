#include "FaceStreamSpeech.h"

#include "HAL/PlatformTime.h"

namespace
{
// Sound that waits to be played; games may stand still for so long without a gap.
constexpr double SoundRoomSeconds = 4.0;
// As the jitter buffer eases where frames are missing, so the face does where the sound is.
constexpr double HoldSeconds = 0.1;
constexpr double RestSeconds = 0.25;
constexpr double RejoinSeconds = 0.08;
} // namespace

int64 FaceStreamNow()
{
	return static_cast<int64>(FPlatformTime::Seconds() * 1e9);
}

FFaceStreamSpeech::FFaceStreamSpeech(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound)
	: Sound(InSound)
	, Call(Options, InSound.Rate)
	, Clock(fs_presentation_clock_create(InSound.Rate, FMath::Max<int64>(0, SamplesOf(InSound.DelaySeconds))))
	, Queue(fs_sample_queue_create(static_cast<int32>(SamplesOf(SoundRoomSeconds))))
{
	check(Clock.IsValid() && Queue.IsValid());
}

int32 FFaceStreamSpeech::PushSound(const float* Samples, int32 Count)
{
	return static_cast<int32>(fs_sample_queue_push(Queue.Get(), Samples, static_cast<size_t>(Count)));
}

void FFaceStreamSpeech::Play(float* Out, int32 Count, int64 InNowNs)
{
	const int32 Given = bMayPlay ? static_cast<int32>(fs_sample_queue_pop(Queue.Get(), Out, static_cast<size_t>(Count))) : 0;
	FMemory::Memzero(Out + Given, static_cast<size_t>(Count - Given) * sizeof(float));
	const int32 Counted = bMayPlay && IsPadded() ? Count : Given;
	if (Counted > 0)
	{
		HandedOver += Counted;
		fs_presentation_clock_report(Clock.Get(), HandedOver, InNowNs);
	}
}

void FFaceStreamSpeech::Advance(int64 InNowNs)
{
	const double Elapsed = LastNs == 0 ? 0.0 : static_cast<double>(InNowNs - LastNs) * 1e-9;
	LastNs = InNowNs;
	Feed(LastNs);
	Call.Receive();
	const int64 Before = Position;
	Position = fs_presentation_clock_position(Clock.Get(), LastNs);
	if (Position != Before || MovedNs == 0)
	{
		MovedNs = LastNs;
	}
	const bool bStalled = HasBegun() && static_cast<double>(LastNs - MovedNs) * 1e-9 > HoldSeconds;
	Rest = FMath::Clamp(Rest + (bStalled ? Elapsed / RestSeconds : -Elapsed / RejoinSeconds), 0.0, 1.0);
}

bool FFaceStreamSpeech::IsFaceReady() const
{
	constexpr double AheadSeconds = 0.1;
	constexpr double StepSeconds = 0.2; // what a model may gather before it computes
	const double Latency = static_cast<double>(Call.Info().latency_samples) / GFaceStreamWireRate;
	const double Wanted = FMath::Max(0.0, GetSecondsHeard()) + AheadSeconds;
	return Call.IsOver() || Call.SecondsReceived() >= FMath::Min(Wanted, GetSecondsGiven() - Latency - StepSeconds);
}

FFaceStreamMoment FFaceStreamSpeech::Now()
{
	FFaceStreamMoment Moment;
	Moment.Frame = Call.FrameAt(Position);
	Moment.Face = Call.FaceAt(Position, Moment.bStarved);
	if (Rest > 0.0)
	{
		const fs_face Calm = FaceStreamRest();
		const fs_face Held = Moment.Face;
		fs_between(&Held, &Calm, static_cast<float>(Rest * Rest * (3.0 - 2.0 * Rest)), &Moment.Face);
		Moment.bStarved = true;
	}
	return Moment;
}

bool FFaceStreamSpeech::TakeDue(FFaceStreamMoment& OutMoment)
{
	int64 Index = 0;
	if (!Call.TakeDue(Position, Index, OutMoment.Face))
	{
		return false;
	}
	OutMoment.Frame = static_cast<double>(Index);
	OutMoment.bStarved = false;
	return true;
}
