// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/mpi_world.h"
#include "tests/trainer/equivalence.h"

namespace convoy::tests {
namespace {

TEST(EquivalenceMpi, RanksOfEightEqualOneBigBatch) { expect_equals_one_rank(*mpi_world().world()); }

TEST(EquivalenceMpi, WithBatchNormOverAllRanksToo) {
  expect_batch_norm_equals_one_rank(*mpi_world().world());
}

}  // namespace
}  // namespace convoy::tests
