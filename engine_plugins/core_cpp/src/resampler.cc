#include "facestream/core/resampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace facestream {
namespace {

constexpr double kHalfWidthS = 0.002;  // with beta 7 the stop band lies below -70 dB
constexpr double kKaiserBeta = 7.0;
constexpr double kEdge = 0.94;  // middle of the transition as a share of the lower Nyquist frequency
constexpr double kPi = 3.14159265358979323846;
constexpr size_t kBlock = 1024;  // inputs filtered at a time

// Modified Bessel function of the first kind, order 0.
double Bessel0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double Sinc(double x) { return x == 0 ? 1 : std::sin(kPi * x) / (kPi * x); }

int64_t CeilDivide(int64_t value, int64_t by) { return value > 0 ? (value + by - 1) / by : 0; }

}  // namespace

Resampler::Resampler(int in_rate_hz, int out_rate_hz) : is_same_(in_rate_hz == out_rate_hz) {
  const int64_t divisor = std::gcd(in_rate_hz, out_rate_hz);
  up_ = out_rate_hz / divisor;
  down_ = in_rate_hz / divisor;
  half_ = static_cast<int>(std::ceil(kHalfWidthS * in_rate_hz));
  const size_t taps = 2 * static_cast<size_t>(half_);
  pending_.reset(new float[taps + kBlock]);
  if (!is_same_) {
    const double cutoff = kEdge * std::min(1.0, static_cast<double>(out_rate_hz) / in_rate_hz);
    filter_.reset(new float[static_cast<size_t>(up_) * taps]);
    std::unique_ptr<double[]> row(new double[taps]);
    for (int64_t phase = 0; phase < up_; ++phase) {
      double sum = 0;
      for (size_t tap = 0; tap < taps; ++tap) {
        const double offset = static_cast<double>(tap) - (half_ - 1) - static_cast<double>(phase) / up_;
        const double inside = 1 - (offset / half_) * (offset / half_);
        row[tap] = inside > 0 ? cutoff * Sinc(cutoff * offset) * Bessel0(kKaiserBeta * std::sqrt(inside)) : 0;
        sum += row[tap];
      }
      // a constant stays the same constant at every phase
      for (size_t tap = 0; tap < taps; ++tap) filter_[phase * taps + tap] = static_cast<float>(row[tap] / sum);
    }
  }
  Restart();
}

void Resampler::Restart() {
  // before the stream lies silence
  pending_count_ = static_cast<size_t>(half_) - 1;
  pending_first_ = -static_cast<int64_t>(pending_count_);
  std::fill_n(pending_.get(), pending_count_, 0.0f);
  received_ = made_ = 0;
}

size_t Resampler::MostOutputs(size_t count) const {
  return is_same_ ? count : static_cast<size_t>(CeilDivide(static_cast<int64_t>(count) * up_, down_)) + 1;
}

size_t Resampler::Push(const float* samples, size_t count, float* out) {
  if (is_same_) {
    std::copy_n(samples, count, out);
    return count;
  }
  size_t given = 0;
  while (count > 0) {
    const size_t part = std::min(count, kBlock);
    std::copy_n(samples, part, pending_.get() + pending_count_);
    pending_count_ += part;
    received_ += static_cast<int64_t>(part);
    samples += part;
    count -= part;
    given += Make(CeilDivide((received_ - half_) * up_, down_), out + given);
  }
  return given;
}

size_t Resampler::Flush(float* out) {
  if (is_same_) return 0;
  const int64_t end = CeilDivide(received_ * up_, down_);
  std::fill_n(pending_.get() + pending_count_, half_, 0.0f);
  pending_count_ += static_cast<size_t>(half_);
  const size_t given = Make(end, out);
  Restart();
  return given;
}

size_t Resampler::Make(int64_t output_end, float* out) {
  const size_t taps = 2 * static_cast<size_t>(half_);
  size_t given = 0;
  for (; made_ < output_end; ++made_) {
    const int64_t tick = made_ * down_;
    const float* window = pending_.get() + (tick / up_ - half_ + 1 - pending_first_);
    const float* weights = filter_.get() + static_cast<size_t>(tick % up_) * taps;
    float sums[4] = {};  // four chains that the compiler may run side by side; `taps` is even
    size_t tap = 0;
    for (; tap + 4 <= taps; tap += 4) {
      for (size_t lane = 0; lane < 4; ++lane) sums[lane] += window[tap + lane] * weights[tap + lane];
    }
    for (; tap < taps; ++tap) sums[0] += window[tap] * weights[tap];
    out[given++] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  // later outputs need nothing before the window of the next one
  const int64_t needed = made_ * down_ / up_ - half_ + 1;
  const size_t past =
      static_cast<size_t>(std::clamp<int64_t>(needed - pending_first_, 0, static_cast<int64_t>(pending_count_)));
  std::copy(pending_.get() + past, pending_.get() + pending_count_, pending_.get());
  pending_count_ -= past;
  pending_first_ += static_cast<int64_t>(past);
  return given;
}

void MixToMono(const float* interleaved, size_t count, int channel_count, float* mono) {
  const float share = 1.0f / static_cast<float>(channel_count);
  for (size_t sample = 0; sample < count; ++sample) {
    float sum = 0;
    for (int channel = 0; channel < channel_count; ++channel) sum += *interleaved++;
    mono[sample] = sum * share;
  }
}

}  // namespace facestream
