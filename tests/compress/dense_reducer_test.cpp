// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/dense_reducer.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "comm/local/local.h"
#include "tests/compress/dense_reducer_scenario.h"

namespace convoy::tests {
namespace {

TEST(DenseReducer, AveragesInRankOrder) {
  for (const int ranks : {1, 2, 3, 4}) comm::local::run(ranks, expect_dense_mean);
}

TEST(DenseReducer, SaysWhatItSends) {
  comm::local::run(1, [](comm::Communicator& communicator) {
    const compress::DenseReducer reducer(communicator);
    EXPECT_EQ(reducer.wire_bytes(1000, 1), 0);
    EXPECT_EQ(reducer.wire_bytes(1000, 2), 4000);
    EXPECT_EQ(reducer.wire_bytes(1000, 4), 6000);
    EXPECT_THROW((void)reducer.wire_bytes(1, 0), ContractError);
  });
}

}  // namespace
}  // namespace convoy::tests
