// SPDX-License-Identifier: Apache-2.0
// Every family on threads as ranks.
#include <gtest/gtest.h>

#include "comm/local/local.h"
#include "tests/compress/reduce/reducer_kit.h"
#include "tests/compress/reduce/reducer_scenarios.h"

namespace convoy::tests {
namespace {

using comm::local::run;

TEST(Reducers, LoseNothing) {
  for (const int ranks : {2, 3, 8}) run(ranks, expect_nothing_is_lost);
}

TEST(Reducers, GiveAllRanksTheSameBits) {
  for (const int ranks : {2, 3, 4, 8}) run(ranks, expect_equal_bits);
}

TEST(Reducers, SendDenseWhatTheyMustNotTouch) {
  for (const int ranks : {1, 2, 3}) run(ranks, expect_dense_where_asked);
}

TEST(Reducers, TakeAStepBack) {
  for (const int ranks : {2, 3}) run(ranks, expect_discard_leaves_no_trace);
}

TEST(Reducers, ResumeToTheBit) {
  for (const int ranks : {2, 3}) run(ranks, expect_resume_is_exact);
}

TEST(Reducers, OnOneRankChangeNothing) {
  run(1, [](comm::Communicator& communicator) {
    for (const auto& [name, config] : all_families()) {
      const auto reducer = compress::make_reducer(config, 1)(communicator);
      const auto gradients = gradients_of(small_model(), 0, 0);
      EXPECT_EQ(reduce_step(*reducer, small_model(), gradients, 0), gradients) << name;
      EXPECT_EQ(reducer->traffic().sent_bytes, 0U) << name;
    }
  });
}

TEST(Quantize, OfConstantsIsExact) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_constants_are_exact);
}

TEST(Quantize, OfRangesStaysWithinItsStep) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_ranges_within_bound);
}

TEST(PowerSgd, OfFullRankIsExact) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_full_rank_is_exact);
}

TEST(Plans, FollowTheSchedule) {
  for (const int ranks : {2, 3, 4}) run(ranks, expect_plans_follow_the_schedule);
}

}  // namespace
}  // namespace convoy::tests
