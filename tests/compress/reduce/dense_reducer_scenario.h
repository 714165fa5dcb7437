// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "comm/communicator.h"
#include "compress/reduce/dense_reducer.h"

namespace convoy::tests {

/// Averages values that differ by rank, of several sizes, and compares with the sum in rank order.
inline void expect_dense_mean(comm::Communicator& communicator) {
  compress::DenseReducer reducer(communicator);
  const auto value = [](int rank, std::size_t i) {
    return static_cast<float>(rank + 1) * 0.3F + static_cast<float>(i % 17) / 7.0F;
  };
  for (const std::size_t count : {0, 1, 5, 1000, 70'000}) {
    const auto memory = std::make_shared<std::vector<float>>(count);
    for (std::size_t i = 0; i < count; ++i) (*memory)[i] = value(communicator.rank(), i);
    const auto numel = static_cast<std::int64_t>(count);
    reducer.begin_step(0);
    reducer.reduce({{{"layer", 0, {numel}, numel}}, std::span(*memory), memory});
    reducer.end_step();
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < count; ++i) {
      float sum = value(0, i);
      for (int rank = 1; rank < communicator.size(); ++rank) sum += value(rank, i);
      if ((*memory)[i] != sum * (1.0F / static_cast<float>(communicator.size()))) ++wrong;
    }
    EXPECT_EQ(wrong, 0U) << count << " values";
  }
}

}  // namespace convoy::tests
