// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/communicator_statistics.h"

#include <algorithm>

namespace convoy::trainer {

CommunicatorStatistics::CommunicatorStatistics(comm::Communicator& communicator)
    : communicator_(communicator.duplicate()), scratch_(std::make_shared<std::vector<double>>()) {}

void CommunicatorStatistics::sum(std::span<double> values) {
  if (communicator_->size() == 1) return;
  scratch_->assign(values.begin(), values.end());
  communicator_->all_reduce(comm::Buffer(std::span(*scratch_), scratch_)).wait();
  std::ranges::copy(*scratch_, values.begin());
}

}  // namespace convoy::trainer
