// Any rate to any other, sample by sample exact, with 2 ms of delay: the textbook polyphase filter (Kaiser-windowed
// sinc), the same as the server's own (facestream/audio/resample.py). Output n lies at exactly n / out_rate seconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace facestream {

class Resampler {
 public:
  static constexpr int kLowestRateHz = 8000;
  static constexpr int kHighestRateHz = 192000;

  static bool Accepts(int rate_hz) { return rate_hz >= kLowestRateHz && rate_hz <= kHighestRateHz; }

  // One channel. Both rates must be accepted. The filter is made here: some milliseconds for uncommon ratios.
  Resampler(int in_rate_hz, int out_rate_hz);

  // Most outputs that one Push of `count` samples can give.
  size_t MostOutputs(size_t count) const;
  // Input samples that must follow a moment before its output can be computed.
  int delay_samples() const { return is_same_ ? 0 : half_; }

  // Takes `count` samples and gives the outputs that became computable; `out` has room for MostOutputs(count).
  size_t Push(const float* samples, size_t count, float* out);
  // The last outputs, as if silence followed; `out` has room for MostOutputs(delay_samples()). Then Push begins anew.
  size_t Flush(float* out);

 private:
  void Restart();
  size_t Make(int64_t output_end, float* out);

  bool is_same_;
  int64_t up_, down_;
  int half_;
  std::unique_ptr<float[]> filter_;   // [up, 2 * half]
  std::unique_ptr<float[]> pending_;  // inputs from `pending_first_` on
  size_t pending_count_;
  int64_t pending_first_, received_, made_;
};

// Interleaved channels to their mean, `count` samples of all channels.
void MixToMono(const float* interleaved, size_t count, int channel_count, float* mono);

}  // namespace facestream
