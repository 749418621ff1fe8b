// Bounded queues between exactly one producing and one consuming thread. Neither side ever waits for the other, and
// nothing is allocated after construction: fit for an audio callback.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>

namespace facestream {

// Places of a ring of `capacity` values, a power of two. Positions only grow; unsigned arithmetic wraps with the ring.
class RingPositions {
 public:
  explicit RingPositions(size_t at_least) {
    while (capacity_ < at_least) capacity_ *= 2;
  }

  size_t capacity() const { return capacity_; }
  size_t IndexOf(size_t position) const { return position & (capacity_ - 1); }

  // Values waiting; either side may ask, and the other may change it at once.
  size_t Count() const { return written_.load(std::memory_order_acquire) - read_.load(std::memory_order_acquire); }

  // Producer: where to write, and how much there is room for.
  size_t WritePosition() const { return written_.load(std::memory_order_relaxed); }
  size_t Room() const { return capacity_ - (WritePosition() - read_.load(std::memory_order_acquire)); }
  void Written(size_t count) { written_.store(WritePosition() + count, std::memory_order_release); }

  // Consumer: where to read, and how much there is.
  size_t ReadPosition() const { return read_.load(std::memory_order_relaxed); }
  size_t Ready() const { return written_.load(std::memory_order_acquire) - ReadPosition(); }
  void Read(size_t count) { read_.store(ReadPosition() + count, std::memory_order_release); }

 private:
  size_t capacity_ = 1;
  alignas(64) std::atomic<size_t> written_{0};  // a cache line each: the two threads do not fight for one
  alignas(64) std::atomic<size_t> read_{0};
};

// A queue of values that are copied in and out one by one.
template <typename T>
class SpscQueue {
 public:
  // Holds at least `capacity` values.
  explicit SpscQueue(size_t capacity) : ring_(capacity), values_(new T[ring_.capacity()]) {}

  // Producer: false, and nothing taken, where the queue is full.
  bool TryPush(const T& value) {
    if (ring_.Room() == 0) return false;
    values_[ring_.IndexOf(ring_.WritePosition())] = value;
    ring_.Written(1);
    return true;
  }

  // Consumer: false where nothing waits.
  bool TryPop(T* value) {
    if (ring_.Ready() == 0) return false;
    *value = values_[ring_.IndexOf(ring_.ReadPosition())];
    ring_.Read(1);
    return true;
  }

  size_t Count() const { return ring_.Count(); }
  size_t capacity() const { return ring_.capacity(); }

 private:
  RingPositions ring_;
  std::unique_ptr<T[]> values_;
};

// A queue of audio samples that are copied in and out by the block.
class SampleQueue {
 public:
  // Holds at least `capacity` samples.
  explicit SampleQueue(size_t capacity) : ring_(capacity), samples_(new float[ring_.capacity()]) {}

  // Producer: takes as much as there is room for, and says how much that was.
  size_t Push(const float* samples, size_t count) {
    const size_t taken = std::min(count, ring_.Room());
    const size_t start = ring_.IndexOf(ring_.WritePosition());
    const size_t first = std::min(taken, ring_.capacity() - start);
    if (taken == 0) return 0;
    std::memcpy(samples_.get() + start, samples, first * sizeof(float));
    std::memcpy(samples_.get(), samples + first, (taken - first) * sizeof(float));
    ring_.Written(taken);
    return taken;
  }

  // Consumer: gives up to `count` samples, and says how many.
  size_t Pop(float* samples, size_t count) {
    const size_t given = std::min(count, ring_.Ready());
    const size_t start = ring_.IndexOf(ring_.ReadPosition());
    const size_t first = std::min(given, ring_.capacity() - start);
    if (given == 0) return 0;
    std::memcpy(samples, samples_.get() + start, first * sizeof(float));
    std::memcpy(samples + first, samples_.get(), (given - first) * sizeof(float));
    ring_.Read(given);
    return given;
  }

  size_t Count() const { return ring_.Count(); }
  size_t capacity() const { return ring_.capacity(); }

 private:
  RingPositions ring_;
  std::unique_ptr<float[]> samples_;
};

}  // namespace facestream
