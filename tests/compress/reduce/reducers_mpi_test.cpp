// SPDX-License-Identifier: Apache-2.0
// Every family on MPI ranks.
#include <gtest/gtest.h>

#include "tests/compress/reduce/dense_reducer_scenario.h"
#include "tests/compress/reduce/reducer_scenarios.h"
#include "tests/mpi_world.h"

namespace convoy::tests {
namespace {

std::unique_ptr<comm::Communicator> world() {
  return mpi_world().world({.timeout = std::chrono::seconds(60)});
}

TEST(DenseReducerMpi, AveragesInRankOrder) { expect_dense_mean(*world()); }
TEST(ReducersMpi, LoseNothing) { expect_nothing_is_lost(*world()); }
TEST(ReducersMpi, GiveAllRanksTheSameBits) { expect_equal_bits(*world()); }
TEST(ReducersMpi, SendTheBytesThatTheyState) { expect_stated_bytes_are_sent(*world()); }

TEST(ReducersMpi, ResumeToTheBit) { expect_resume_is_exact(*world()); }
TEST(ReducersMpi, OfConstantsAreExact) { expect_constants_are_exact(*world()); }
TEST(ReducersMpi, FollowTheSchedule) { expect_plans_follow_the_schedule(*world()); }

}  // namespace
}  // namespace convoy::tests
