// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include <gtest/gtest.h>

#include <vector>

#include "comm/local/local.h"
#include "tests/compress/reduce/dense_reducer_scenario.h"

namespace convoy::tests {
namespace {

TEST(DenseReducer, AveragesInRankOrder) {
  for (const int ranks : {1, 2, 3, 4}) comm::local::run(ranks, expect_dense_mean);
}

TEST(DenseReducer, CountsWhatItSends) {
  comm::local::run(2, [](comm::Communicator& communicator) {
    compress::DenseReducer reducer(communicator);
    std::vector<float> values(1000, 1.0F);
    reducer.begin_step(0);
    reducer.reduce({{{"layer", 0, {1000}, 1000}}, values});
    reducer.end_step();
    EXPECT_EQ(reducer.traffic().sent_bytes, 4000U);
    EXPECT_EQ(reducer.traffic().dense_bytes, 4000U);
  });
}

}  // namespace
}  // namespace convoy::tests
