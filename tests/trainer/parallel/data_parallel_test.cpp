// SPDX-License-Identifier: Apache-2.0
#include "trainer/parallel/data_parallel.h"

#include <gtest/gtest.h>

#include "tests/trainer/parallel/scenarios.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

class DataParallel : public testing::TestWithParam<int> {};

TEST_P(DataParallel, TrainsLikeOneRankOnTheWholeBatch) {
  run_ranks(GetParam(), expect_training_like_one_rank);
}

TEST_P(DataParallel, AveragesOverSamplesNotRanks) {
  run_ranks(GetParam(), expect_mean_over_samples);
}

TEST_P(DataParallel, SurvivesRanksThatRunOutEarly) {
  run_ranks(GetParam(), expect_early_ends_to_be_survived);
}

TEST_P(DataParallel, StartsFromRank0) { run_ranks(GetParam(), expect_start_from_rank_0); }

TEST_P(DataParallel, AccumulatesMicroBatchesExactly) {
  run_ranks(GetParam(), expect_exact_accumulation);
}

INSTANTIATE_TEST_SUITE_P(Ranks, DataParallel, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace convoy::tests
