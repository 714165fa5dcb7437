// SPDX-License-Identifier: Apache-2.0
// Choosing the size of messages, on threads, on sockets and on MPI ranks.
#include "comm/chunk_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "base/errors.h"
#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::fastest_chunk;
using namespace std::chrono_literals;

TEST(FastestChunk, LeavesTheFirstOnlyForAClearGain) {
  EXPECT_EQ(fastest_chunk({{256, 1.0, 1.0}, {64, 0.97, 0.9}, {512, 1.1, 0.9}}), 256U);
  EXPECT_EQ(fastest_chunk({{256, 1.0, 1.0}, {64, 0.9, 0.9}, {512, 0.8, 0.8}}), 512U);
  EXPECT_EQ(fastest_chunk({{256, 1.0, 0.8}, {64, 0.9, 0.9}, {512, 0.8, 0.7}}), 256U)
      << "no more than the noise of the first";
  EXPECT_EQ(fastest_chunk({{256, 1.0, 1.0}}), 256U);
  EXPECT_THROW((void)fastest_chunk({}), ContractError);
}

TEST(TimeChunks, GivesAllRanksTheSameAndLeavesThePresentSize) {
  for (const int ranks : world_sizes()) {
    run_world(ranks,
              [](Communicator& c) {
                const auto start = std::chrono::steady_clock::now();
                const auto trials = comm::time_chunks(c, std::size_t{1} << 20, 50ms);
                EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
                EXPECT_EQ(c.options().chunk_bytes, 100'000U);
                EXPECT_EQ(trials.empty(), !c.sums_in_messages());
                if (trials.empty()) return;
                EXPECT_EQ(trials.size(), 6U);
                EXPECT_EQ(trials.front().chunk_bytes, 100'000U);
                std::vector<double> seconds;
                for (const auto& trial : trials) seconds.push_back(trial.seconds);
                EXPECT_GT(std::ranges::min(seconds), 0.0);
                auto from_root = seconds;
                c.broadcast(std::span(from_root), 0).wait();
                EXPECT_EQ(from_root, seconds);
              },
              {.chunk_bytes = 100'000});
  }
}

TEST(SetChunkBytes, ChangesNoBitAndHoldsForDuplicates) {
  constexpr std::size_t kNumel = 300'001;
  for (const int ranks : world_sizes()) {
    run_world(ranks, [](Communicator& c) {
      for (const std::size_t kib : {1, 16, 64, 256, 1024}) {
        c.set_chunk_bytes(kib << 10);
        const auto twin = c.duplicate();
        EXPECT_EQ(twin->options().chunk_bytes, kib << 10);
        for (Communicator* each : {&c, twin.get()}) {
          auto values = values_of<float>(c.rank(), kNumel);
          each->all_reduce(std::span(values)).wait();
          EXPECT_EQ(first_difference(values, expected_reduction<float>(c.size(), kNumel, 0,
                                                                       comm::ReduceOp::kSum)),
                    "")
              << kib << " KiB";
        }
      }
      EXPECT_THROW(c.set_chunk_bytes(0), ContractError);
    });
  }
}

}  // namespace
}  // namespace convoy::tests
