// SPDX-License-Identifier: Apache-2.0
#include "comm/values.h"

#include <gtest/gtest.h>

#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;

void on_all_worlds(const Body& body) {
  for (const int ranks : world_sizes()) run_world(ranks, body);
}

TEST(ByValue, ReducesAndGathers) {
  on_all_worlds([](Communicator& c) {
    const std::int64_t own = c.rank() + 1;
    const std::int64_t ranks = c.size();
    EXPECT_EQ(comm::all_reduce_value(c, own), ranks * (ranks + 1) / 2);
    EXPECT_EQ(comm::all_reduce_value(c, own, comm::ReduceOp::kMax), ranks);
    std::vector<std::int64_t> all;
    for (std::int64_t r = 1; r <= ranks; ++r) all.push_back(r);
    EXPECT_EQ(comm::all_gather_values(c, std::vector{own}), all);
    // Rank r brings r values.
    const auto bring = static_cast<std::size_t>(c.rank());
    std::vector<std::int64_t> counts;
    for (std::int64_t r = 0; r < ranks; ++r) counts.push_back(r);
    const auto found = comm::all_gather_values(c, std::vector<double>(bring, 0.5), counts);
    EXPECT_EQ(found, std::vector<double>(static_cast<std::size_t>(ranks * (ranks - 1) / 2), 0.5));
  });
}

TEST(ByValue, BroadcastsTheRootsLengthAndText) {
  on_all_worlds([](Communicator& c) {
    const int last = c.size() - 1;
    const std::string own = std::string(static_cast<std::size_t>(c.rank()), 'x') + "rank";
    const std::string expected = std::string(static_cast<std::size_t>(last), 'x') + "rank";
    EXPECT_EQ(comm::broadcast_text(c, own, last), expected);
    EXPECT_EQ(comm::broadcast_text(c, c.rank() == 0 ? "" : own, 0), "");
  });
}

}  // namespace
}  // namespace convoy::tests
