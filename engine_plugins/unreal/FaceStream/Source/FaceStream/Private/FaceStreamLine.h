// A line that is known before it is heard: a sound, or what speech synthesis gives. Its audio is sent ahead, so that the
// face has no delay.
#pragma once

#include "FaceStreamSpeech.h"

class FFaceStreamLine final : public FFaceStreamSpeech
{
public:
	/** Audio of `InputRate` will be pushed. */
	FFaceStreamLine(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound, int32 InputRate);

	/** Game thread: more mono audio. */
	void Push(const float* Samples, int32 Count);
	/** No more follows. */
	void End();

	virtual bool IsOver() const override;

protected:
	virtual void Feed(int64 NowNs) override;
	virtual double GetSecondsGiven() const override;
	virtual bool IsPadded() const override { return bSoundOver; }

private:
	/** Audio that waits, from `First` on. */
	struct FWaiting
	{
		TFaceStreamHandle<fs_resampler> Resampler;
		TArray<float> Samples;
		int32 First = 0;
		int64 Total = 0;

		void Push(const float* Input, int32 Count);
		void Flush();
		int32 Num() const { return Samples.Num() - First; }
		void Take(int32 Count);
	};

	bool IsReady(int64 NowNs) const;

	FWaiting ForServer;
	FWaiting ForEars;
	int64 Sent = 0;
	int64 BegunNs = 0;
	bool bEnded = false;
	bool bFinished = false;
	std::atomic<bool> bSoundOver{false};
};
