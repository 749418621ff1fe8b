// Which face belongs to the sound that is audible now. Frames may come early, late or not at all; the face never runs
// ahead of the sound, and eases to neutral when nothing comes.
#pragma once

#include <cstddef>
#include <memory>

#include "facestream/core/face.h"
#include "facestream/core/frame_clock.h"

namespace facestream {

// What bridges missing frames, in milliseconds.
struct Easing {
  double hold_ms = 100;   // behind the last frame the face stays as it is,
  double rest_ms = 250;   // then goes to neutral,
  double rejoin_ms = 80;  // and when frames are back, over to them.
};

// Buffers frames and answers for any audio position. One thread: that which draws. Between two frames weights are
// interpolated linearly, rotations along the shorter arc.
class JitterBuffer {
 public:
  // `capacity` frames can wait; 2 at least. The clock must be valid.
  JitterBuffer(const FrameClock& clock, size_t capacity, const Easing& easing = {});

  // Takes a frame over; false where there is no room, which At makes. One at or before the newest held is ignored: a
  // frame is never replaced.
  bool Add(const Frame& frame);

  // The face for audio position `sample`. Positions are expected to advance.
  Face At(int64_t sample);

  // Whether frames were missing at the last position, so that the face held or eased.
  bool is_starved() const { return was_starved_; }
  // Frames held, those on both sides of the last position included.
  size_t count() const { return count_; }
  bool is_full() const { return count_ == capacity_; }
  const FrameClock& clock() const { return clock_; }

 private:
  const Frame& Held(size_t place) const { return frames_[(first_ + place) % capacity_]; }
  void ForgetBefore(double position);
  Face FaceAt(double position, bool* is_starved) const;
  Face Rejoined(double position, const Face& face, bool is_starved);

  FrameClock clock_;
  double hold_, rest_, rejoin_;  // frames
  size_t capacity_, first_ = 0, count_ = 0;
  std::unique_ptr<Frame[]> frames_;
  Face shown_, rejoin_from_;
  double rejoin_begun_ = 0;
  bool is_rejoining_ = false, was_starved_ = false;
};

}  // namespace facestream
