// A live stream to a facestream server: sound in from the audio thread, faces out on the game's thread, and a new call
// with the last two seconds again when one breaks. gRPC stays behind this header.
//
//   facestream::Connection connection;
//   connection.target = "localhost:50051";
//   facestream::Stream stream(connection, facestream::StreamOptions());
//   stream.Send(samples, count);                 // audio thread: never waits, never allocates
//   stream.Finish();
//   while (stream.TryRead(&frame)) buffer.Add(frame);   // game thread: the same
//   if (stream.state() == facestream::State::kFailed) Show(stream.failure().message);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "facestream/core/face.h"
#include "facestream/core/frame_clock.h"

namespace facestream {

// Where the server is and how it is spoken to.
struct Connection {
  std::string target;  // host:port
  std::string token;   // sent as a bearer token where not empty
  bool has_tls = false;
  std::string root_certificates;  // PEM, of who signed the server's certificate; empty for the machine's own
  bool has_resume = true;         // a lost connection is replaced and the stream goes on
  int keepalive_ms = 20000;
};

// What the motion does beyond following the audio; unset values stay as they are. The second half is for models that
// act.
struct Controls {
  std::optional<float> mouth_strength;  // 0 to 2
  std::optional<bool> blinks;
  std::optional<bool> gaze;
  std::optional<std::string> emotion;  // a preset, or "speech" for the speech's own
  std::optional<float> emotion_spread;
  std::optional<std::string> speaker;
  std::optional<std::string> style;  // one of the model's, or "none"
  std::optional<float> style_strength;
  std::optional<float> head_amount;
};

// Options of a stream; the defaults suit 16 kHz mono and a 30 fps character.
struct StreamOptions {
  int sample_rate_hz = 16000;  // 8000 to 144000
  int channel_count = 1;       // interleaved
  bool sends_floats = false;   // 32-bit floats instead of 16-bit integers over the wire
  FrameRate frame_rate = {30, 1};
  std::string model;  // empty for the server's default
  std::optional<uint64_t> seed;
  bool waits_for_reader = false;  // nothing is lost where frames are not read; else the oldest unsent ones
  Controls controls;
  int chunk_ms = 40;         // audio of one message; the models' own step
  int audio_room_ms = 2000;  // audio that may wait to be sent; beyond it is lost, and counted
  int frame_room = 256;      // frames that may wait to be read; beyond it the server waits
};

// What the server said when the stream opened.
struct StreamInfo {
  std::string stream_id, model, model_version;
  FrameClock clock;
  int64_t latency_samples = 0;  // look-ahead: a frame can be computed once so much audio behind its own sample was sent
  uint64_t seed = 0;
};

enum class State {
  kConnecting,
  kStreaming,
  kReconnecting,  // the connection was lost; frames go on when a new one is there
  kEnded,         // every frame has come; some may wait to be read
  kFailed,        // see failure()
};

// Why a stream failed. `message` is one sentence for the user: what is wrong, where, and what to try.
struct Failure {
  enum Kind {
    kNone,
    kOptions,       // refused before or by the server: a value out of range, an unknown name
    kUnreachable,   // nobody listens there
    kTls,           // one side speaks TLS, or trusts, where the other does not
    kDenied,        // no or a wrong token
    kOtherVersion,  // no facestream.v1 there, or one that answers otherwise
    kOtherCurves,   // curves other than the 52 of ARKit, or in another order
    kBusy,          // every place taken
    kLost,          // the connection broke and could not be replaced
    kTimeLimit,     // idle for too long, or too old
    kServer,        // the server's own trouble
  } kind = kNone;
  std::string message;
};

// Something that happened to a stream. Positions are samples, or frames where the kind says so.
struct Event {
  enum Kind {
    kFlushDone,        // id: of the marker; position: frame behind it
    kGap,              // position, count: missing samples
    kFramesDropped,    // position, count: frames
    kSpeechStarted,    // position
    kSpeechEnded,      // position
    kAheadOfRealTime,  // count: samples
    kGoingAway,        // count: milliseconds left
    kResumed,          // position: next frame; a new call goes on from there
  } kind = kFlushDone;
  int64_t id = 0, position = 0, count = 0;
};

// One thread sends (Send, Skip, Finish), one reads (TryRead, TryReadEvent); what is left may be called by any.
class Stream {
 public:
  // Begins to connect and returns at once.
  Stream(const Connection& connection, const StreamOptions& options);
  // Cancels what is under way and waits for the stream's own threads.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Takes `count` samples of interleaved channels, -1..1. What does not fit is lost: silence stands in for it, and the
  // count returned is smaller.
  size_t Send(const float* samples, size_t count);
  // Samples that Send would take now.
  size_t Room() const;
  // Leaves out `count` samples: silence stands in for them.
  void Skip(int64_t count);
  // No more audio: the remaining frames follow, then the state is kEnded.
  void Finish();

  // Changes the motion from the next sample on.
  void Control(const Controls& controls);
  // Asks for kFlushDone behind the last frame of the audio so far.
  void Flush(int64_t marker_id);

  // The next frame, and when it was decoded (nanoseconds of std::chrono::steady_clock); false where none waits.
  bool TryRead(Frame* frame, int64_t* decoded_ns = nullptr);
  bool TryReadEvent(Event* event);
  // For programs without a picture rate: waits until something can be read, or the state has changed.
  void Wait(int most_ms);

  State state() const;
  Failure failure() const;
  StreamInfo info() const;  // empty until the state was kStreaming once
  int64_t lost_samples() const;
  int resume_count() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace facestream
