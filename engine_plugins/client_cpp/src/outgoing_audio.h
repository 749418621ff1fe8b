// Audio on its way from the audio thread to the writer: samples, and where some were left out.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "facestream/core/spsc_queue.h"

namespace facestream {

// Positions are samples of all channels, counted from the first one offered, lost ones included.
class OutgoingAudio {
 public:
  OutgoingAudio(size_t room_samples, int channel_count)
      : channels_(static_cast<size_t>(channel_count)), values_(room_samples * channels_), gaps_(64) {}

  // Producer: takes what there is room for; what is not taken becomes a gap.
  size_t Push(const float* samples, size_t count) {
    size_t taken = 0;
    if (GapIsTold()) {
      const size_t room = Room();
      taken = count < room ? count : room;
      values_.Push(samples, taken * channels_);
    }
    gap_.count += static_cast<int64_t>(count - taken);
    lost_.fetch_add(static_cast<int64_t>(count - taken), std::memory_order_relaxed);
    end_.store(end_.load(std::memory_order_relaxed) + static_cast<int64_t>(count), std::memory_order_release);
    return taken;
  }

  // Producer: samples that there is room for.
  size_t Room() const { return (values_.capacity() - values_.Count()) / channels_; }

  // Producer: leaves samples out on purpose.
  void Skip(int64_t count) {
    gap_.count += count;
    end_.store(end_.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  // Any thread: one behind the last sample offered, and how many found no room.
  int64_t end_sample() const { return end_.load(std::memory_order_acquire); }
  int64_t lost_samples() const { return lost_.load(std::memory_order_relaxed); }

  // Consumer: samples that wait.
  size_t Count() const { return values_.Count() / channels_; }

  // Consumer: gives up to `count` samples that belong together and where they begin.
  size_t Pop(float* samples, size_t count, int64_t* first_sample) {
    const size_t ready = Count();  // before the gaps: a gap is told before the samples behind it are pushed
    if (!has_next_gap_) has_next_gap_ = gaps_.TryPop(&next_gap_);
    while (has_next_gap_ && position_ == next_gap_.first_sample) {
      position_ += next_gap_.count;
      has_next_gap_ = gaps_.TryPop(&next_gap_);
    }
    size_t given = count < ready ? count : ready;
    if (has_next_gap_ && static_cast<int64_t>(given) > next_gap_.first_sample - position_) {
      given = static_cast<size_t>(next_gap_.first_sample - position_);
    }
    *first_sample = position_;
    position_ += static_cast<int64_t>(values_.Pop(samples, given * channels_) / channels_);
    return given;
  }

  // Consumer: the sample that Pop would give next, gaps not yet told left aside.
  int64_t position() const { return position_; }

 private:
  struct Gap {
    int64_t first_sample = 0, count = 0;
  };

  // Whether the consumer knows of what was left out before `end_`.
  bool GapIsTold() {
    if (gap_.count == 0) return true;
    gap_.first_sample = end_.load(std::memory_order_relaxed) - gap_.count;
    if (!gaps_.TryPush(gap_)) return false;
    gap_.count = 0;
    return true;
  }

  size_t channels_;
  SampleQueue values_;
  SpscQueue<Gap> gaps_;
  std::atomic<int64_t> end_{0}, lost_{0};
  Gap gap_;                    // the producer's
  Gap next_gap_;               // the consumer's
  bool has_next_gap_ = false;  // likewise
  int64_t position_ = 0;       // likewise
};

}  // namespace facestream
