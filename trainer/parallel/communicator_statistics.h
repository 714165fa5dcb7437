// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "trainer/models/batch_statistics.h"

namespace convoy::trainer {

/// BatchStatistics over all ranks of a communicator: one float64 all-reduce per call, on a
/// duplicate of its own, so that it may run in backward while gradients travel. One thread at a
/// time.
class CommunicatorStatistics final : public BatchStatistics {
 public:
  /// Collective; borrows `communicator` only while constructing.
  explicit CommunicatorStatistics(comm::Communicator& communicator);
  /// @throws CommError.
  void sum(std::span<double> values) override;
  /// Payload bytes that this rank has sent.
  [[nodiscard]] std::uint64_t bytes_sent() const { return communicator_->bytes_sent(); }

 private:
  std::unique_ptr<comm::Communicator> communicator_;
  // Shared with the communicator, which holds it for ever when a transfer fails.
  std::shared_ptr<std::vector<double>> scratch_;
};

}  // namespace convoy::trainer
