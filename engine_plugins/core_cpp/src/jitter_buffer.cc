#include "facestream/core/jitter_buffer.h"

#include <algorithm>

namespace facestream {

JitterBuffer::JitterBuffer(const FrameClock& clock, size_t capacity, const Easing& easing)
    : clock_(clock), capacity_(std::max<size_t>(capacity, 2)), frames_(new Frame[capacity_]) {
  const double per_ms = static_cast<double>(clock.rate.numerator) / clock.rate.denominator / 1000;
  hold_ = per_ms * easing.hold_ms;
  rest_ = per_ms * easing.rest_ms;
  rejoin_ = per_ms * easing.rejoin_ms;
}

bool JitterBuffer::Add(const Frame& frame) {
  if (count_ > 0 && frame.index <= Held(count_ - 1).index) return true;
  if (is_full()) return false;
  frames_[(first_ + count_++) % capacity_] = frame;
  return true;
}

Face JitterBuffer::At(int64_t sample) {
  const double position = clock_.PositionOf(sample);
  ForgetBefore(position);
  bool is_starved = false;
  const Face face = FaceAt(position, &is_starved);
  shown_ = Rejoined(position, face, is_starved);
  was_starved_ = is_starved;
  return shown_;
}

void JitterBuffer::ForgetBefore(double position) {
  while (count_ > 1 && static_cast<double>(Held(1).index) <= position) {
    first_ = (first_ + 1) % capacity_;
    --count_;
  }
}

Face JitterBuffer::FaceAt(double position, bool* is_starved) const {
  *is_starved = true;
  if (count_ == 0 || position < static_cast<double>(Held(0).index)) return Face();
  const double age = position - static_cast<double>(Held(0).index);
  if (count_ > 1) {
    const double step = static_cast<double>(Held(1).index - Held(0).index);
    if (step == 1 || step <= hold_) {
      *is_starved = false;
      return Between(Held(0).face, Held(1).face, static_cast<float>(age / step));
    }
  }
  if (age <= 1) {
    *is_starved = false;
    return Held(0).face;
  }
  const double eased = rest_ > 0 ? std::clamp((age - hold_) / rest_, 0.0, 1.0) : (age > hold_ ? 1.0 : 0.0);
  return Between(Held(0).face, Face(), static_cast<float>(eased * eased * (3 - 2 * eased)));
}

Face JitterBuffer::Rejoined(double position, const Face& face, bool is_starved) {
  if (was_starved_ && !is_starved) {
    is_rejoining_ = true;
    rejoin_begun_ = position;
    rejoin_from_ = shown_;
  }
  if (!is_rejoining_ || is_starved) return face;
  const double share = rejoin_ > 0 ? (position - rejoin_begun_) / rejoin_ : 1;
  if (share < 0 || share >= 1) {
    is_rejoining_ = false;
    return face;
  }
  return Between(rejoin_from_, face, static_cast<float>(share));
}

}  // namespace facestream
