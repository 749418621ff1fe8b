// Which sample is audible now. Audio devices take whole buffers at uneven moments; a face drawn by those steps would
// stutter. This clock runs evenly between them and never goes back.
#pragma once

#include <cstdint>

#include "facestream/core/spsc_queue.h"

namespace facestream {

// The audio thread reports, the drawing thread asks. Times are nanoseconds of one steady clock of the caller's.
class PresentationClock {
 public:
  // `output_delay_samples`: from the hand-over of a sample to its sound, as the audio device tells it.
  PresentationClock(int sample_rate_hz, int64_t output_delay_samples);

  // Audio thread: `samples_handed_over` of this stream have gone to the device, the last ones at `now_ns`.
  void Report(int64_t samples_handed_over, int64_t now_ns);

  // Drawing thread: the sample that is audible at `now_ns`; never one before the last answer, nor one that has not been
  // handed over. Negative until the first sound is heard.
  int64_t PositionAt(int64_t now_ns);

 private:
  struct Delivery {
    int64_t end_sample, time_ns;
  };
  void Follow(const Delivery& delivery);

  double samples_per_ns_;
  int64_t output_delay_;
  SpscQueue<Delivery> deliveries_;
  bool is_running_ = false;
  int64_t end_sample_ = 0, anchor_ns_ = 0, shown_;
  double anchor_ = 0;  // samples handed over at `anchor_ns_`, evened out
};

// How far behind its capture sound must be played so that every frame is there in time: for a microphone that is heard
// with a face. One thread.
class PlayoutDelay {
 public:
  // A frame of `frame_sample` came while `captured_samples` had been recorded.
  void Note(int64_t frame_sample, int64_t captured_samples);
  // The most that any of the last 256 frames needed, samples; 0 before the first.
  int64_t Samples() const;

 private:
  static constexpr size_t kKept = 256;
  int64_t lags_[kKept] = {};
  size_t noted_ = 0;
};

}  // namespace facestream
