// One stream to the server and the frames that came of it: the C interface of the client library in Unreal's words.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamTypes.h"
#include "Templates/UniquePtr.h"

THIRD_PARTY_INCLUDES_START
#include "facestream/client/c_api.h"
THIRD_PARTY_INCLUDES_END

/** Deletes handles of the library. */
struct FFaceStreamRelease
{
	void operator()(fs_stream* Handle) const { fs_stream_destroy(Handle); }
	void operator()(fs_jitter_buffer* Handle) const { fs_jitter_buffer_destroy(Handle); }
	void operator()(fs_presentation_clock* Handle) const { fs_presentation_clock_destroy(Handle); }
	void operator()(fs_resampler* Handle) const { fs_resampler_destroy(Handle); }
	void operator()(fs_sample_queue* Handle) const { fs_sample_queue_destroy(Handle); }
};
template <typename HandleType>
using TFaceStreamHandle = TUniquePtr<HandleType, FFaceStreamRelease>;

/** The face at rest. */
fs_face FaceStreamRest();

/** What a stream is asked for. */
struct FFaceStreamOptions
{
	FString Server;
	FString Token;
	bool bTls = false;
	FString RootCertificates;
	FString Model;
	int64 Seed = -1;
	int32 FramesPerSecond = 30;
	FFaceStreamControls Controls;
	bool bWaitsForReader = false;
};

/** Mono audio of this rate is sent. */
inline constexpr int32 GFaceStreamWireRate = 16000;

class FFaceStreamCall
{
public:
	/** Begins to connect. Frames will be asked for by positions at `PositionRate` samples a second. */
	FFaceStreamCall(const FFaceStreamOptions& Options, int32 PositionRate);

	/** The thread that has the audio; never waits, never allocates. */
	int32 Send(const float* Samples, int32 Count);
	int32 Room() const;
	void Finish();

	/** The game thread. */
	void Control(const FFaceStreamControls& Controls);
	/** Takes over the frames that came. */
	void Receive();
	/** The face that belongs to the sound at `Position`, and whether its frames are missing. */
	fs_face FaceAt(int64 Position, bool& bOutStarved);
	/** The next frame whose sound begins at or before `Position`, each once. */
	bool TakeDue(int64 Position, int64& OutIndex, fs_face& OutFace);
	/** Seconds of frames that came, from the beginning. */
	double SecondsReceived() const { return static_cast<double>(Received) / FramesPerSecond; }
	double FrameAt(int64 Position) const { return static_cast<double>(Position) * FramesPerSecond / PositionRate; }

	fs_state State() const { return static_cast<fs_state>(fs_stream_state(Stream.Get())); }
	bool IsOver() const { return State() == FS_STATE_ENDED || State() == FS_STATE_FAILED; }
	/** One sentence for the user, and its kind where that is asked for. */
	FString FailureMessage(fs_failure* OutKind = nullptr) const;
	/** The next thing that the server told beside frames. */
	bool TakeEvent(fs_event& OutEvent) { return fs_stream_read_event(Stream.Get(), &OutEvent) != 0; }
	fs_stream_info Info() const;
	int32 Resumed() const { return fs_stream_resume_count(Stream.Get()); }
	int64 LostSamples() const { return fs_stream_lost_samples(Stream.Get()); }
	int64 FramesReceived() const { return Received; }
	int32 FramesWaiting() const { return fs_jitter_buffer_count(Buffer.Get()); }
	int32 GetFramesPerSecond() const { return FramesPerSecond; }

private:
	struct FFrame
	{
		int64 Index;
		fs_face Face;
	};

	const int32 FramesPerSecond;
	const int32 PositionRate;
	TFaceStreamHandle<fs_stream> Stream;
	TFaceStreamHandle<fs_jitter_buffer> Buffer;
	TArray<FFrame> Whole; // a ring, of the frames that are also in the buffer
	int64 Received = 0;
	int64 Taken = 0;
};
