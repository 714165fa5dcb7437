// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/reduction.h"

namespace convoy::compress::internal {

/// Averages spans of one bucket as one dense message: in place where they lie side by side.
class FusedDense {
 public:
  /// Forgets the spans of the last bucket. `owner` holds the memory of those that come.
  void begin_bucket(std::shared_ptr<void> owner);
  void add(std::span<float> values);
  [[nodiscard]] bool empty() const { return parts_.empty(); }
  /// Every span becomes its mean over ranks: summed in rank order, times 1/N. One collective.
  [[nodiscard]] Reduction average(comm::Communicator& communicator, comm::Turn turn);

 private:
  std::vector<std::span<float>> parts_;  // neighbours are one
  std::shared_ptr<void> owner_;
  // Shared with transfers under way.
  std::shared_ptr<std::vector<float>> message_ = std::make_shared<std::vector<float>>();
};

}  // namespace convoy::compress::internal
