// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/array.h"
#include "compress/reduce/reduction.h"

namespace convoy::compress::internal {

/// Averages spans of one bucket as one dense message: in place where they lie side by side.
class FusedDense {
 public:
  /// Forgets the spans of the last bucket. `owner` holds the memory of those that come, which lie
  /// where `executor` works.
  void begin_bucket(std::shared_ptr<Executor> executor, std::shared_ptr<void> owner);
  void add(std::span<float> values);
  [[nodiscard]] bool empty() const { return parts_.empty(); }
  /// Every span becomes its mean over ranks: summed in rank order, times 1/N. One collective.
  [[nodiscard]] Reduction average(comm::Communicator& communicator, comm::Turn turn);

 private:
  void gather();
  void scatter() const;

  std::vector<std::span<float>> parts_;  // neighbours are one
  std::shared_ptr<Executor> executor_;   // shared with the Reducer
  std::shared_ptr<void> owner_;
  Array<float> message_;
};

}  // namespace convoy::compress::internal
