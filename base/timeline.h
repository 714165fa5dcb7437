// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy {

/// What the time of a training step goes into.
enum class Phase : std::uint8_t {
  kForward,
  kBackward,
  kOptimizer,
  kExposed,  ///< waiting for communication
  kEncode,   ///< compressing, residuals included
  kWire,     ///< inside a collective
  kDecode,
};
inline constexpr int kPhases = 7;
[[nodiscard]] std::string_view name(Phase phase);

/// Spans of time that threads have spent, in the order in which they ended. Any thread.
class Timeline {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    Phase phase;
    std::string what;  ///< a layer; of a bucket the first
    Clock::time_point begin;
    Clock::time_point end;
  };

  void add(Span span) {
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
  }
  /// All since the last call.
  [[nodiscard]] std::vector<Span> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(spans_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Span> spans_;
};

/// Adds its own life to a timeline; nothing, and nearly for free, where there is none.
class TimedSpan {
 public:
  TimedSpan(Timeline* timeline, Phase phase, std::string_view what)
      : timeline_(timeline), phase_(phase), what_(what) {
    if (timeline_ != nullptr) begin_ = Timeline::Clock::now();
  }
  ~TimedSpan() {
    if (timeline_ == nullptr) return;
    timeline_->add({phase_, std::string(what_), begin_, Timeline::Clock::now()});
  }
  TimedSpan(const TimedSpan&) = delete;
  TimedSpan& operator=(const TimedSpan&) = delete;

 private:
  Timeline* timeline_;
  Phase phase_;
  std::string_view what_;
  Timeline::Clock::time_point begin_{};
};

}  // namespace convoy
