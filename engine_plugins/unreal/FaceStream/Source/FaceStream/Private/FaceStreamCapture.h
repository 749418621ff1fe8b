// Sound that is heard as it comes: a microphone, or what a submix plays. Its face is shown a fixed time later; where we
// play the sound ourselves, that much later, too.
#pragma once

#include "FaceStreamSpeech.h"

class FFaceStreamCapture final : public FFaceStreamSpeech
{
public:
	/** Audio of the sound's own rate will be taken; it is shown, or played, `BufferSeconds` later. */
	FFaceStreamCapture(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound, double InBufferSeconds);

	/** The capturing thread: more audio, interleaved. Never waits, never allocates. */
	void Take(const float* Interleaved, int32 NumFrames, int32 NumChannels, int64 NowNs);

	/** Ends when it is told to, or with its stream. */
	virtual bool IsOver() const override { return false; }

protected:
	virtual void Feed(int64 NowNs) override;
	virtual double GetSecondsGiven() const override { return static_cast<double>(Captured) / Sound.Rate; }
	virtual bool IsPadded() const override { return false; }

private:
	static constexpr int32 BlockFrames = 512;

	const double BufferSeconds;
	TFaceStreamHandle<fs_resampler> Resampler;
	TArray<float> Mono;
	TArray<float> Wire;
	std::atomic<int64> Captured{0};
};
