// What is said or heard at the moment: its stream, its sound and the clock that both follow.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCall.h"

#include <atomic>

/** How the sound comes to the ear. */
struct FFaceStreamSound
{
	/** Samples a second of what counts the time: the audio device's, or a microphone's. */
	int32 Rate = 48000;
	/** From the hand-over of a sample to its sound. Where it is not we who play it: how much later its face is shown. */
	double DelaySeconds = 0.0;
	/** Whether we play it. */
	bool bPlayed = true;
};

/** The face of one picture. */
struct FFaceStreamMoment
{
	fs_face Face;
	/** Frames from the beginning; whole for the server's own ones. */
	double Frame = 0.0;
	bool bStarved = false;
};

/** Nanoseconds of the clock that all speeches follow. */
int64 FaceStreamNow();

class FFaceStreamSpeech
{
public:
	FFaceStreamSpeech(const FFaceStreamOptions& Options, const FFaceStreamSound& InSound);
	virtual ~FFaceStreamSpeech() = default;

	/** Audio render thread: the next `Count` samples of mono sound. */
	void Play(float* Out, int32 Count, int64 NowNs);

	/** Game thread, once a picture: sends and receives what there is. */
	void Advance(int64 NowNs);
	/** Whether the first sound has been heard; before, the face has nothing to show. */
	bool HasBegun() const { return Position >= 0; }
	/** Whether the face of the next tenth of a second is there, as far as audio was given for it. */
	bool IsFaceReady() const;
	/** Whether sound and face are over. */
	virtual bool IsOver() const = 0;
	/** The face for the sound that is audible now. */
	FFaceStreamMoment Now();
	/** The server's next frame whose sound has been heard. */
	bool TakeDue(FFaceStreamMoment& OutMoment);

	FFaceStreamCall& GetCall() { return Call; }
	const FFaceStreamCall& GetCall() const { return Call; }
	const FFaceStreamSound& GetSound() const { return Sound; }
	/** Sample of the sound that is audible, negative before the first. */
	int64 GetPosition() const { return Position; }
	double GetSecondsHeard() const { return static_cast<double>(Position) / Sound.Rate; }

protected:
	virtual void Feed(int64 NowNs) = 0;
	/** Seconds of audio that were given for the server. */
	virtual double GetSecondsGiven() const = 0;
	/** Whether silence may be played where there is no sound, as a part of the line. */
	virtual bool IsPadded() const = 0;

	/** The audio of the line as it is played. */
	int32 PushSound(const float* Samples, int32 Count);
	int64 SamplesOf(double Seconds) const { return static_cast<int64>(Seconds * Sound.Rate); }

	const FFaceStreamSound Sound;
	FFaceStreamCall Call;
	TFaceStreamHandle<fs_presentation_clock> Clock;
	std::atomic<bool> bMayPlay{false};
	/** Samples that went to the device or came from the microphone. */
	std::atomic<int64> HandedOver{0};

private:
	TFaceStreamHandle<fs_sample_queue> Queue;
	int64 Position = -1;
	int64 MovedNs = 0;
	int64 LastNs = 0;
	double Rest = 0.0;
};
