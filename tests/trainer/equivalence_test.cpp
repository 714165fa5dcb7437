// SPDX-License-Identifier: Apache-2.0
#include "tests/trainer/equivalence.h"

#include <gtest/gtest.h>

#include "comm/local/local.h"

namespace convoy::tests {
namespace {

class Equivalence : public testing::TestWithParam<int> {};

TEST_P(Equivalence, RanksOfEightEqualOneBigBatch) {
  comm::local::run(GetParam(), expect_equals_one_rank);
}

TEST_P(Equivalence, WithBatchNormOverAllRanksToo) {
  comm::local::run(GetParam(), expect_batch_norm_equals_one_rank);
}

INSTANTIATE_TEST_SUITE_P(ThreadRanks, Equivalence, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace convoy::tests
