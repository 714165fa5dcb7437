// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace convoy::comm::internal {

/// Lets threads sleep until something has happened. Take a ticket, look at the world, then wait
/// with that ticket: an event between the two is never missed. Any thread.
class Wakeup {
 public:
  Wakeup() = default;
  virtual ~Wakeup() = default;
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  [[nodiscard]] virtual std::uint64_t ticket() const {
    return events_.load(std::memory_order_acquire);
  }

  virtual void signal() {
    {
      const std::lock_guard lock(mutex_);
      events_.fetch_add(1, std::memory_order_release);
    }
    changed_.notify_all();
  }

  /// Returns when signal() was called since `ticket` was taken, or after `at_most`.
  virtual void wait(std::uint64_t ticket, std::chrono::nanoseconds at_most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, at_most, [&] { return this->ticket() != ticket; });
  }

 protected:
  std::mutex mutex_;  // held while events_ grows
  std::condition_variable changed_;
  std::atomic<std::uint64_t> events_{0};
};

}  // namespace convoy::comm::internal
