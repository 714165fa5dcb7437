// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"

namespace convoy::compress::internal {

/// Averages spans that lie apart as one dense message.
class FusedDense {
 public:
  /// Forgets the spans of the last bucket.
  void clear() { parts_.clear(); }
  void add(std::span<float> values) { parts_.push_back(values); }
  [[nodiscard]] bool empty() const { return parts_.empty(); }
  /// Every span becomes its mean over ranks: summed in rank order, times 1/N. Collective.
  /// @throws CommError.
  void average(comm::Communicator& communicator);

 private:
  std::vector<std::span<float>> parts_;
  // Shared with transfers under way.
  std::shared_ptr<std::vector<float>> message_ = std::make_shared<std::vector<float>>();
};

}  // namespace convoy::compress::internal
