#include "FaceStreamLine.h"

namespace
{
// Audio goes to the server so far ahead of its sound: enough for any pause of the game, and no burden for the server.
constexpr double LeadSeconds = 1.0;
// The sound begins once so much of its face is there,
constexpr double ReadySeconds = 0.2;
// or after this time without it: a line is said even when no server answers.
constexpr double LongestWaitSeconds = 1.5;
// Behind the last sound the server leads the face to rest within 0.3 s; the rest is easing of our own.
constexpr double TailSeconds = 0.5;
} // namespace

void FFaceStreamLine::FWaiting::Push(const float* Input, int32 Count)
{
	const int32 Before = Samples.Num();
	Samples.SetNumUninitialized(Before + static_cast<int32>(fs_resampler_most_outputs(Resampler.Get(), static_cast<size_t>(Count))));
	const size_t Made = fs_resampler_push(Resampler.Get(), Input, static_cast<size_t>(Count), Samples.GetData() + Before);
	Samples.SetNum(Before + static_cast<int32>(Made));
	Total += static_cast<int64>(Made);
}

void FFaceStreamLine::FWaiting::Flush()
{
	// more than the 2 ms of audio that a resampler keeps back, at any rate
	constexpr int32 MostFlushed = 1024;
	const int32 Before = Samples.Num();
	Samples.SetNumUninitialized(Before + MostFlushed);
	const size_t Made = fs_resampler_flush(Resampler.Get(), Samples.GetData() + Before);
	Samples.SetNum(Before + static_cast<int32>(Made));
	Total += static_cast<int64>(Made);
}

void FFaceStreamLine::FWaiting::Take(int32 Count)
{
	First += Count;
	if (First > Samples.Num() / 2)
	{
		Samples.RemoveAt(0, First);
		First = 0;
	}
}

FFaceStreamLine::FFaceStreamLine(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound, int32 InputRate)
	: FFaceStreamSpeech(Options, InSound)
{
	ForServer.Resampler.Reset(fs_resampler_create(InputRate, GFaceStreamWireRate));
	ForEars.Resampler.Reset(fs_resampler_create(InputRate, InSound.Rate));
	check(ForServer.Resampler.IsValid() && ForEars.Resampler.IsValid());
}

void FFaceStreamLine::Push(const float* Samples, int32 Count)
{
	if (!bEnded && Count > 0)
	{
		ForServer.Push(Samples, Count);
		ForEars.Push(Samples, Count);
	}
}

void FFaceStreamLine::End()
{
	if (!bEnded)
	{
		ForServer.Flush();
		ForEars.Flush();
		bEnded = true;
	}
}

void FFaceStreamLine::Feed(int64 NowNs)
{
	if (BegunNs == 0 && ForEars.Total > 0)
	{
		BegunNs = NowNs;
	}
	const int64 Due = static_cast<int64>((FMath::Max(0.0, GetSecondsHeard()) + LeadSeconds) * GFaceStreamWireRate) - Sent;
	const int32 Count = static_cast<int32>(FMath::Min<int64>(FMath::Min<int64>(Due, Call.Room()), ForServer.Num()));
	if (Count > 0)
	{
		Call.Send(ForServer.Samples.GetData() + ForServer.First, Count);
		ForServer.Take(Count);
		Sent += Count;
	}
	if (bEnded && !bFinished && ForServer.Num() == 0)
	{
		Call.Finish();
		bFinished = true;
	}
	if (ForEars.Num() > 0)
	{
		ForEars.Take(PushSound(ForEars.Samples.GetData() + ForEars.First, ForEars.Num()));
	}
	bSoundOver = bEnded && HandedOver >= ForEars.Total;
	if (!bMayPlay && BegunNs != 0 && IsReady(NowNs))
	{
		bMayPlay = true;
	}
}

double FFaceStreamLine::GetSecondsGiven() const
{
	// the end brings all that is left
	return bFinished ? TNumericLimits<double>::Max() : static_cast<double>(Sent) / GFaceStreamWireRate;
}

bool FFaceStreamLine::IsReady(int64 NowNs) const
{
	return Call.IsOver() || Call.SecondsReceived() >= ReadySeconds || static_cast<double>(NowNs - BegunNs) * 1e-9 > LongestWaitSeconds;
}

bool FFaceStreamLine::IsOver() const
{
	return bSoundOver && GetPosition() >= ForEars.Total + SamplesOf(TailSeconds);
}
