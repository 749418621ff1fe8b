#include "facestream/core/presentation_clock.h"

#include <algorithm>
#include <cmath>

namespace facestream {
namespace {

// Buffers are handed over late, never early, so a late one is believed a little and an early one at once.
constexpr double kBelief = 0.05;
// Further off than this the device has stopped or jumped.
constexpr double kJumpS = 0.1;

}  // namespace

PresentationClock::PresentationClock(int sample_rate_hz, int64_t output_delay_samples)
    : samples_per_ns_(sample_rate_hz * 1e-9),
      output_delay_(output_delay_samples),
      deliveries_(64),
      shown_(-output_delay_samples) {}

void PresentationClock::Report(int64_t samples_handed_over, int64_t now_ns) {
  deliveries_.TryPush({samples_handed_over, now_ns});  // full: nobody draws, and the next report says as much
}

void PresentationClock::Follow(const Delivery& delivery) {
  const double expected = anchor_ + static_cast<double>(delivery.time_ns - anchor_ns_) * samples_per_ns_;
  const double error = static_cast<double>(delivery.end_sample) - expected;
  const bool has_jumped = !is_running_ || std::abs(error) > kJumpS * 1e9 * samples_per_ns_;
  anchor_ = has_jumped ? static_cast<double>(delivery.end_sample) : expected + (error > 0 ? error : kBelief * error);
  anchor_ns_ = delivery.time_ns;
  end_sample_ = delivery.end_sample;
  is_running_ = true;
}

int64_t PresentationClock::PositionAt(int64_t now_ns) {
  for (Delivery delivery; deliveries_.TryPop(&delivery);) Follow(delivery);
  if (is_running_) {
    const double now = anchor_ + static_cast<double>(now_ns - anchor_ns_) * samples_per_ns_;
    const int64_t position = static_cast<int64_t>(std::floor(now)) - output_delay_;
    shown_ = std::max(shown_, std::min(position, end_sample_));
  }
  return shown_;
}

void PlayoutDelay::Note(int64_t frame_sample, int64_t captured_samples) {
  lags_[noted_++ % kKept] = captured_samples - frame_sample;
}

int64_t PlayoutDelay::Samples() const {
  const size_t kept = std::min(noted_, kKept);
  int64_t most = 0;
  for (size_t place = 0; place < kept; ++place) most = std::max(most, lags_[place]);
  return most;
}

}  // namespace facestream
