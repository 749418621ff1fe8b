// Exact time: frame rates as ratios, frames addressed by samples of the audio.
#pragma once

#include <cstdint>

namespace facestream {

// Frames in `denominator` seconds, for example 30/1 or 30000/1001.
struct FrameRate {
  int32_t numerator = 30;
  int32_t denominator = 1;
};

// Maps frame indices to samples at `sample_rate_hz` and back.
struct FrameClock {
  FrameRate rate;
  int32_t sample_rate_hz = 16000;

  bool IsValid() const { return rate.numerator > 0 && rate.denominator > 0 && sample_rate_hz > 0; }

  // First sample at or after the frame's time, ceil(i * rate_hz * den / num).
  int64_t SampleOf(int64_t frame_index) const {
    return -FloorDivide(-frame_index * sample_rate_hz * rate.denominator, rate.numerator);
  }

  // Frames, from frame 0, that belong to samples before `sample`.
  int64_t FramesUntil(int64_t sample) const {
    return FloorDivide((sample - 1) * rate.numerator, int64_t{sample_rate_hz} * rate.denominator) + 1;
  }

  // Where a sample lies between frames.
  double PositionOf(int64_t sample) const {
    return static_cast<double>(sample * rate.numerator) /
           static_cast<double>(int64_t{sample_rate_hz} * rate.denominator);
  }

 private:
  static int64_t FloorDivide(int64_t value, int64_t by) {
    return value / by - (value % by != 0 && (value < 0) != (by < 0) ? 1 : 0);
  }
};

}  // namespace facestream
