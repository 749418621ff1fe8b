#include "facestream/core/audio_history.h"

#include <algorithm>

namespace facestream {

AudioHistory::AudioHistory(size_t capacity, int channel_count)
    : capacity_(capacity),
      channel_count_(static_cast<size_t>(channel_count)),
      values_(new float[capacity * channel_count_]) {}

void AudioHistory::Add(int64_t first_sample, const float* samples, size_t count) {
  if (first_sample > end_) {
    const int64_t missing = first_sample - end_;
    const int64_t kept = std::min(missing, static_cast<int64_t>(capacity_));
    end_ += missing - kept;
    Append(nullptr, static_cast<size_t>(kept));
  }
  if (count > capacity_) {
    end_ += static_cast<int64_t>(count - capacity_);
    samples += (count - capacity_) * channel_count_;
    count = capacity_;
  }
  Append(samples, count);
}

void AudioHistory::Append(const float* samples, size_t count) {
  size_t place = static_cast<size_t>(end_) % capacity_;
  end_ += static_cast<int64_t>(count);
  first_ = std::max(first_, end_ - static_cast<int64_t>(capacity_));
  while (count > 0) {
    const size_t part = std::min(count, capacity_ - place);
    float* to = values_.get() + place * channel_count_;
    if (samples == nullptr) {
      std::fill_n(to, part * channel_count_, 0.0f);
    } else {
      std::copy_n(samples, part * channel_count_, to);
      samples += part * channel_count_;
    }
    count -= part;
    place = 0;
  }
}

size_t AudioHistory::Read(int64_t first_sample, float* samples, size_t count) const {
  if (first_sample < first_ || first_sample >= end_) return 0;
  const size_t given = std::min(count, static_cast<size_t>(end_ - first_sample));
  size_t place = static_cast<size_t>(first_sample) % capacity_;
  for (size_t left = given; left > 0;) {
    const size_t part = std::min(left, capacity_ - place);
    samples = std::copy_n(values_.get() + place * channel_count_, part * channel_count_, samples);
    left -= part;
    place = 0;
  }
  return given;
}

}  // namespace facestream
