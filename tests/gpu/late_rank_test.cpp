// SPDX-License-Identifier: Apache-2.0
// A rank that does not come to a collective on device memory: timeout, abort, and a new start.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "tests/comm/comm_errors.h"
#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using namespace std::chrono_literals;

TEST(NcclLateRank, IsATimeoutAndANewCommunicatorWorks) {
  if (world_sizes().back() == 1) GTEST_SKIP() << "one device: nobody can be late";
  for (const int ranks : world_sizes()) {
    if (ranks == 1) continue;
    run_world(ranks, [](Communicator& c) {
      auto values = values_of<float>(c.rank(), 1000);
      c.all_reduce(std::span(values)).wait();  // connections are made
      if (c.rank() == c.size() - 1) {
        std::this_thread::sleep_for(4s);
        return;
      }
      expect_match(comm_error([&] { c.all_reduce(std::span(values)).wait(1500ms); }),
                   "all_reduce rank [0-9]+/[0-9]+, 1000 float32 .sequence");
      EXPECT_TRUE(c.poisoned());
    });
    run_world(ranks, [](Communicator& c) {
      auto values = values_of<float>(c.rank(), 1000);
      c.all_reduce(std::span(values)).wait();
      EXPECT_EQ(reduction_difference(values, c.size(), 0, comm::ReduceOp::kSum), "");
    });
  }
}

}  // namespace
}  // namespace convoy::tests
