// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace convoy::trainer {

/// Seconds of many answers.
struct AnswerSummary {
  std::int64_t count = 0;
  double median = 0.0;
  double p99 = 0.0;
  double maximum = 0.0;
};

/// How long the server takes to answer: from the moment at which it could (the last byte of the
/// update that decides had come, or the timer was due) until the answer is under way.
class AnswerTimes {
 public:
  void add(double seconds) { seconds_.push_back(seconds); }
  /// O(count). All 0 where nobody was answered.
  [[nodiscard]] AnswerSummary summary() const;

 private:
  std::vector<double> seconds_;
};

}  // namespace convoy::trainer
