// Wakes a sleeping thread from one that must not wait itself.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace facestream {

// Whoever makes a condition true calls Notify behind it. That is one atomic operation where nobody sleeps; where
// someone does, a lock that is held for a moment only.
class Wakeup {
 public:
  void Notify() {
    // a read-modify-write on both sides: either this sees the sleeper, or the sleeper sees what was done before this
    if (sleepers_.fetch_add(0, std::memory_order_acq_rel) == 0) return;
    { std::lock_guard<std::mutex> lock(mutex_); }
    woken_.notify_all();
  }

  // Waits for `condition`, at most so long; says whether it holds.
  template <typename Condition>
  bool WaitFor(std::chrono::milliseconds most, const Condition& condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_acq_rel);
    const bool holds = woken_.wait_for(lock, most, condition);
    sleepers_.fetch_sub(1, std::memory_order_acq_rel);
    return holds;
  }

 private:
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable woken_;
};

}  // namespace facestream
