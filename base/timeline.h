// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
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
  kData,  ///< reading and preparing a batch
};
inline constexpr int kPhases = 8;
[[nodiscard]] std::string_view name(Phase phase);
/// True for what the communication thread does; the rest is the computing thread's.
[[nodiscard]] constexpr bool is_communication(Phase phase) {
  return phase == Phase::kEncode || phase == Phase::kWire || phase == Phase::kDecode;
}

/// Spans of time that threads have spent, in the order in which they ended. Any thread. Those of
/// the computing thread nest or follow each other; of kWire several may overlap, one for each
/// collective under way. Grows until take().
class Timeline {
 public:
  using Clock = std::chrono::steady_clock;
  struct Span {
    Phase phase;
    std::string what;  ///< a layer; of a bucket one of its layers; empty: the whole pass
    Clock::time_point begin;
    Clock::time_point end;
    std::int64_t step = 0;  ///< whose gradients these are, counted from 0; add() fills it in
  };

  /// From here on spans of the computing thread are of this step.
  void begin_step(std::int64_t step) { step_ = step; }
  /// The same for the communication thread, which may be a step behind.
  void begin_communication(std::int64_t step) { communication_step_ = step; }

  void add(Span span) {
    span.step = is_communication(span.phase) ? communication_step_ : step_;
    const std::lock_guard lock(mutex_);
    spans_.push_back(std::move(span));
  }
  /// All since the last call.
  [[nodiscard]] std::vector<Span> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(spans_, {});
  }

 private:
  std::atomic<std::int64_t> step_ = 0;
  std::atomic<std::int64_t> communication_step_ = 0;
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
