// The newest audio of a stream by sample position, kept to be sent again when the stream breaks. One thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace facestream {

class AudioHistory {
 public:
  // Keeps the last `capacity` samples of `channel_count` interleaved values.
  AudioHistory(size_t capacity, int channel_count);

  // Takes over `count` samples that begin at `first_sample`. Audio left out before it counts as silence, as it does for
  // the server; positions never go back.
  void Add(int64_t first_sample, const float* samples, size_t count);

  // Oldest sample kept, and the one behind the newest; equal while there is none.
  int64_t first_sample() const { return first_; }
  int64_t end_sample() const { return end_; }

  // Copies up to `count` samples from `first_sample` on, which must be kept; says how many.
  size_t Read(int64_t first_sample, float* samples, size_t count) const;

 private:
  void Append(const float* samples, size_t count);  // null stands for silence

  size_t capacity_, channel_count_;
  int64_t first_ = 0, end_ = 0;
  std::unique_ptr<float[]> values_;
};

}  // namespace facestream
