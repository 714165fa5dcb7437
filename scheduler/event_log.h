// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "scheduler/policy.h"

namespace convoy::scheduler {

/// One call of a policy, as a value: what a federation is replayed from.
struct Input {
  enum class Kind : std::uint8_t { kJoin, kArrive, kTimer, kEvict, kLeave, kShutdown };
  Kind kind = Kind::kTimer;
  double time = 0.0;         ///< seconds since the start
  Update update;             ///< its client for all but kTimer and kShutdown, the rest for kArrive
  std::int64_t samples = 1;  ///< kJoin
  double duration = 0.0;     ///< kArrive: seconds since the assignment, for readers of the log
};

/// "join", "arrive", "timer", "evict", "leave" or "shutdown".
[[nodiscard]] std::string_view to_text(Input::Kind kind);

/// Calls what `input` stands for.
[[nodiscard]] Actions apply(Policy& policy, const Input& input);

/// One JSON object without a line end, as docs/scheduling.md describes it. Numbers are written so
/// that they are read back to the bit.
[[nodiscard]] std::string to_line(const Input& input, std::int64_t sequence);
[[nodiscard]] std::string to_line(double time, const Action& action);
/// What a log must begin with to be replayed without a scenario.
[[nodiscard]] std::string to_line(const PolicyConfig& config);

/// Feeds a policy and writes down every input, with a sequence number, and what was decided.
class EventLog {
 public:
  /// Gets one line at a time, without a line end.
  using Sink = std::function<void(std::string_view)>;

  /// @param sink  empty: nothing is written. @param sequence  of the first input.
  EventLog(Policy& policy, Sink sink, std::int64_t sequence = 0)
      : policy_(policy), sink_(std::move(sink)), sequence_(sequence) {}

  /// Applies `input` and logs it at policy.now(), with the actions that it returns.
  Actions handle(Input input);

  /// What the next input is numbered.
  [[nodiscard]] std::int64_t next_sequence() const { return sequence_; }
  /// For a resumed run.
  void set_next_sequence(std::int64_t sequence) { sequence_ = sequence; }

 private:
  Policy& policy_;
  Sink sink_;
  std::int64_t sequence_;
};

}  // namespace convoy::scheduler
