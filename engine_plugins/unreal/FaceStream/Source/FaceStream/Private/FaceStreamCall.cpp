#include "FaceStreamCall.h"

namespace
{
constexpr int32 FrameRoom = 256;

/** Texts of Unreal as UTF-8, alive as long as the controls are used. */
struct FControlTexts
{
	explicit FControlTexts(const FFaceStreamControls& Given)
		: Emotion(*Given.Emotion), Speaker(*Given.Speaker), Style(*Given.Style)
	{
		fs_controls_defaults(&Controls);
		Controls.mouth_strength = Given.MouthStrength;
		Controls.blinks = Given.bBlinks ? 1 : 0;
		Controls.gaze = Given.bGaze ? 1 : 0;
		Controls.emotion = Emotion.Get();
		Controls.emotion_spread = Given.EmotionSpread;
		Controls.speaker = Speaker.Get();
		Controls.style = Style.Get();
		Controls.style_strength = Given.StyleStrength;
		Controls.head_amount = Given.HeadAmount;
	}

	FTCHARToUTF8 Emotion;
	FTCHARToUTF8 Speaker;
	FTCHARToUTF8 Style;
	fs_controls Controls;
};

fs_stream* Open(const FFaceStreamOptions& Options)
{
	const FTCHARToUTF8 Server(*Options.Server);
	const FTCHARToUTF8 Token(*Options.Token);
	const FTCHARToUTF8 Roots(*Options.RootCertificates);
	const FTCHARToUTF8 Model(*Options.Model);
	fs_connection Connection;
	fs_connection_defaults(&Connection);
	Connection.target = Server.Get();
	Connection.token = Token.Get();
	Connection.root_certificates = Roots.Get();
	Connection.has_tls = Options.bTls ? 1 : 0;
	const FControlTexts Controls(Options.Controls);
	fs_stream_options Wanted;
	fs_stream_defaults(&Wanted);
	Wanted.sample_rate_hz = GFaceStreamWireRate;
	Wanted.frame_rate_numerator = Options.FramesPerSecond;
	Wanted.model = Model.Get();
	Wanted.seed = Options.Seed;
	Wanted.waits_for_reader = Options.bWaitsForReader ? 1 : 0;
	Wanted.frame_room = FrameRoom;
	Wanted.controls = Controls.Controls;
	return fs_stream_create(&Connection, &Wanted);
}
} // namespace

fs_face FaceStreamRest()
{
	fs_face Rest = {};
	Rest.head[3] = Rest.left_eye[3] = Rest.right_eye[3] = 1.0f;
	return Rest;
}

FFaceStreamCall::FFaceStreamCall(const FFaceStreamOptions& Options, int32 InPositionRate)
	: FramesPerSecond(FMath::Clamp(Options.FramesPerSecond, 1, 1000))
	, PositionRate(InPositionRate)
	, Stream(Open(Options))
	, Buffer(fs_jitter_buffer_create(FramesPerSecond, 1, PositionRate, FrameRoom))
{
	check(Stream.IsValid() && Buffer.IsValid());
	Whole.SetNumZeroed(FrameRoom);
}

int32 FFaceStreamCall::Send(const float* Samples, int32 Count)
{
	return static_cast<int32>(fs_stream_send(Stream.Get(), Samples, static_cast<size_t>(Count)));
}

int32 FFaceStreamCall::Room() const
{
	return static_cast<int32>(fs_stream_room(Stream.Get()));
}

void FFaceStreamCall::Finish()
{
	fs_stream_finish(Stream.Get());
}

void FFaceStreamCall::Control(const FFaceStreamControls& Controls)
{
	const FControlTexts Texts(Controls);
	fs_stream_control(Stream.Get(), &Texts.Controls);
}

void FFaceStreamCall::Receive()
{
	FFrame Frame;
	while (FramesWaiting() < FrameRoom && Received - Taken < FrameRoom && fs_stream_read(Stream.Get(), &Frame.Index, &Frame.Face))
	{
		fs_jitter_buffer_add(Buffer.Get(), Frame.Index, &Frame.Face);
		Whole[static_cast<int32>(Received++ % FrameRoom)] = Frame;
	}
}

fs_face FFaceStreamCall::FaceAt(int64 Position, bool& bOutStarved)
{
	fs_face Face;
	bOutStarved = fs_jitter_buffer_at(Buffer.Get(), Position, &Face) != 0;
	return Face;
}

bool FFaceStreamCall::TakeDue(int64 Position, int64& OutIndex, fs_face& OutFace)
{
	if (Taken == Received)
	{
		return false;
	}
	const FFrame& Next = Whole[static_cast<int32>(Taken % FrameRoom)];
	if (fs_sample_of(FramesPerSecond, 1, PositionRate, Next.Index) > Position)
	{
		return false;
	}
	OutIndex = Next.Index;
	OutFace = Next.Face;
	++Taken;
	return true;
}

FString FFaceStreamCall::FailureMessage(fs_failure* OutKind) const
{
	char Message[512];
	const int32 Kind = fs_stream_failure(Stream.Get(), Message, sizeof(Message));
	if (OutKind != nullptr)
	{
		*OutKind = static_cast<fs_failure>(Kind);
	}
	return FString(UTF8_TO_TCHAR(Message));
}

fs_stream_info FFaceStreamCall::Info() const
{
	fs_stream_info Info;
	fs_stream_get_info(Stream.Get(), &Info);
	return Info;
}
