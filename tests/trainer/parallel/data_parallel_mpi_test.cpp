// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/mpi_world.h"
#include "tests/trainer/parallel/scenarios.h"
#include "tests/trainer/parallel/small_net.h"

namespace convoy::tests {
namespace {

class DataParallelMpi : public testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(1); }

  std::unique_ptr<comm::Communicator> world_ =
      mpi_world().world({.timeout = std::chrono::seconds(60)});
};

TEST_F(DataParallelMpi, TrainsLikeOneRankOnTheWholeBatch) {
  expect_training_like_one_rank(*world_);
}

TEST_F(DataParallelMpi, AveragesOverSamplesNotRanks) { expect_mean_over_samples(*world_); }

TEST_F(DataParallelMpi, SurvivesRanksThatRunOutEarly) { expect_early_ends_to_be_survived(*world_); }

TEST_F(DataParallelMpi, StartsFromRank0) { expect_start_from_rank_0(*world_); }

TEST_F(DataParallelMpi, AccumulatesMicroBatchesExactly) { expect_exact_accumulation(*world_); }

TEST_F(DataParallelMpi, GivesTheBitsOfThreadRanks) {
  const auto hash = train_and_hash(*world_, {});
  run_ranks(world_->size(), [&](comm::Communicator& communicator) {
    EXPECT_EQ(train_and_hash(communicator, {.bucket_bytes = 1000}), hash);
  });
}

TEST_F(DataParallelMpi, GivesTheSameBitsWhenUpdatesAreLate) {
  EXPECT_EQ(
      train_and_hash(*world_, {.bucket_bytes = 1000, .overlap = trainer::Overlap::kNextForward}),
      train_and_hash(*world_, {}));
}

}  // namespace
}  // namespace convoy::tests
