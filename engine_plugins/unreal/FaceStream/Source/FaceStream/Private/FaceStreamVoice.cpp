#include "FaceStreamVoice.h"

#include "Async/Async.h"
#include "Misc/ScopeLock.h"
#include "Misc/ScopeTryLock.h"

void FFaceStreamVoice::Set(const TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe>& NewSpeech)
{
	const FScopeLock Scope(&Lock);
	Speech = NewSpeech;
}

void FFaceStreamVoice::Play(float* Out, int32 NumSamples)
{
	// the speech stays under the lock: its last reference is never dropped on this thread
	const FScopeTryLock Scope(&Lock);
	if (Scope.IsLocked() && Speech.IsValid())
	{
		Speech->Play(Out, NumSamples, FaceStreamNow());
		return;
	}
	FMemory::Memzero(Out, static_cast<size_t>(NumSamples) * sizeof(float));
}

void FaceStreamEndInBackground(TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe>&& Speech)
{
	if (Speech.IsValid())
	{
		AsyncTask(ENamedThreads::AnyBackgroundThreadNormalTask, [Ending = MoveTemp(Speech)]() mutable { Ending.Reset(); });
	}
}

int32 FFaceStreamGenerator::OnGenerateAudio(float* OutAudio, int32 NumSamples)
{
	Voice->Play(OutAudio, NumSamples);
	return NumSamples;
}
