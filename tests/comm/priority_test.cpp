// SPDX-License-Identifier: Apache-2.0
// Operations of different urgency, on ranks as threads, on sockets and on MPI ranks.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/random.h"
#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using comm::Request;
using namespace std::chrono_literals;

TEST(Priority, ChangesNoResultWhateverEachRankGives) {
  for (const int ranks : world_sizes()) {
    run_world(ranks,
              [](Communicator& c) {
                constexpr std::uint64_t kOperations = 12;
                Random random(static_cast<std::uint64_t>(c.rank()) + 17);
                std::vector<std::vector<float>> values;
                for (std::uint64_t k = 0; k < kOperations; ++k) {
                  values.push_back(values_of<float>(c.rank(), 1 + k * k * 200, k));
                }
                std::vector<Request> requests;
                for (auto& v : values) {
                  const int priority = static_cast<int>(random.below(5)) - 2;
                  requests.push_back(c.all_reduce(std::span(v), ReduceOp::kSum, {priority}));
                  std::this_thread::sleep_for(std::chrono::microseconds(random.below(300)));
                }
                for (std::uint64_t k = 0; k < kOperations; ++k) {
                  requests[k].wait();
                  const auto expected =
                      expected_reduction<float>(c.size(), values[k].size(), k, ReduceOp::kSum);
                  EXPECT_EQ(first_difference(values[k], expected), "");
                }
              },
              {.chunk_bytes = 4096});
  }
}

TEST(Priority, WaitOrEndsWhenItsQuestionIsAnsweredOrTheRequestIsDone) {
  run_world(world_sizes().back() > 1 ? 2 : 1, [](Communicator& c) {
    if (c.size() == 1) return;
    int value = 0;
    if (c.rank() == 0) {
      std::atomic<bool> enough = false;
      auto request = c.recv(std::span(&value, 1), 1);
      std::jthread other([&] {
        std::this_thread::sleep_for(50ms);
        enough = true;
        c.wake();
      });
      EXPECT_FALSE(request.wait_or([&] { return enough.load(); }));
      EXPECT_TRUE(request.pending());
      c.barrier().wait();  // the peer sends only now
      EXPECT_TRUE(request.wait_or([] { return false; }));
      EXPECT_FALSE(request.pending());
      EXPECT_TRUE(request.wait_or([] { return false; }));
      EXPECT_EQ(value, 7);
    } else {
      c.barrier().wait();
      if (c.rank() != 1) return;
      value = 7;
      c.send(std::span<const int>(&value, 1), 0).wait();
    }
  });
}

}  // namespace
}  // namespace convoy::tests
