// What goes to the server: configuration, audio in chunks, controls and markers, and after a break the last seconds
// again. All of it on the writer's thread, but for what says otherwise.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "call.h"
#include "facestream/client/stream.h"
#include "facestream/core/audio_history.h"
#include "outgoing_audio.h"

namespace facestream {

// Where a new call goes on.
struct Resumption {
  std::string token;  // empty for the first call
  int64_t next_frame = 0;
  FrameClock clock;
};

class Sender {
 public:
  explicit Sender(const StreamOptions& options);

  // Audio thread, and whoever tells it.
  OutgoingAudio& audio() { return audio_; }
  const OutgoingAudio& audio() const { return audio_; }
  // Any thread.
  void Add(const Controls& controls);
  void AddMarker(int64_t marker_id);
  void ForgetMarker(int64_t marker_id);
  void NoteFinished() { is_finished_ = true; }
  bool is_finished() const { return is_finished_; }

  // Opens a call: configuration, and audio that was sent before. False once the call is over.
  bool Open(Call& call, const Resumption& resumption);
  // Whether SendNext has something to do.
  bool HasWork() const;
  // Samples that must wait before there is work again; for the audio thread, which wakes the writer then.
  size_t wanted_samples() const { return wanted_; }
  // Sends one message, if any is due. False once the call is over.
  bool SendNext(Call& call);
  // Whether audio was met that is no number; nothing more can be sent then.
  bool has_bad_audio() const { return has_bad_audio_; }

 private:
  struct Command {
    int64_t sample;
    bool is_marker;
    int64_t marker_id;
    Controls controls;
  };
  struct Marker {
    int64_t sample, id;
  };

  bool Repeat(Call& call, int64_t first_sample);
  bool Execute(Call& call, const Command& command);
  bool WriteAudio(Call& call, int64_t first_sample, size_t count);
  bool WriteMarker(Call& call, int64_t marker_id);
  size_t UntilNextStep(int64_t position) const;
  const Command* Due() const;
  int64_t PrimingStart(const Resumption& resumption) const;

  const StreamOptions options_;
  const size_t chunk_;  // samples
  OutgoingAudio audio_;
  AudioHistory history_;
  std::vector<float> values_;
  v1::AnimateRequest request_;
  Controls controls_;  // all that was asked for so far
  mutable std::mutex mutex_;
  std::deque<Command> commands_;
  std::vector<Marker> markers_;  // not yet answered
  std::atomic<size_t> wanted_;
  std::atomic<bool> is_finished_{false};
  std::atomic<bool> has_bad_audio_{false};  // the reader asks when a call has ended
  bool is_half_closed_ = false;
};

}  // namespace facestream
