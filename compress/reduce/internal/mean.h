// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "comm/communicator.h"

namespace convoy::compress::internal {

/// Makes sums over ranks means.
inline void divide_by_ranks(const comm::Communicator& communicator, std::span<float> values) {
  if (communicator.size() == 1) return;
  const float share = 1.0F / static_cast<float>(communicator.size());
  for (float& value : values) value *= share;
}

/// values[i] = mean over ranks: summed in rank order, times 1/N. Collective. @throws CommError.
inline void average(comm::Communicator& communicator, std::span<float> values,
                    const std::shared_ptr<void>& owner) {
  communicator.all_reduce(comm::Buffer(values, owner)).wait();
  divide_by_ranks(communicator, values);
}

}  // namespace convoy::compress::internal
