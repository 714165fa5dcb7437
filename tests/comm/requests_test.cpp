// SPDX-License-Identifier: Apache-2.0
// What requests promise, on ranks as threads and on MPI ranks.
#include <gtest/gtest.h>
#include <time.h>

#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::ReduceOp;
using comm::Request;
using namespace std::chrono_literals;

void on_all_worlds(const Body& body, const comm::CommunicatorOptions& options = {}) {
  for (const int ranks : world_sizes()) run_world(ranks, body, options);
}

constexpr std::size_t kNumel = 20'011;  // several chunks of the sizes below

comm::CommunicatorOptions small_chunks() {
  comm::CommunicatorOptions options;
  options.chunk_bytes = 4096;
  return options;
}

TEST(Requests, MayBeWaitedForInAnyOrderThatDiffersByRank) {
  on_all_worlds(
      [](Communicator& c) {
        constexpr std::uint64_t kOperations = 6;
        std::vector<std::vector<float>> values;
        std::vector<Request> requests;
        for (std::uint64_t k = 0; k < kOperations; ++k) {
          values.push_back(values_of<float>(c.rank(), kNumel, k));
        }
        for (auto& v : values) requests.push_back(c.all_reduce(std::span(v)));
        for (std::uint64_t k = 0; k < kOperations; ++k) {
          // Even ranks from the first on, odd ones from the last on.
          const auto at = c.rank() % 2 == 0 ? k : kOperations - 1 - k;
          requests[at].wait();
          EXPECT_EQ(first_difference(values[at], expected_reduction<float>(c.size(), kNumel, at,
                                                                           ReduceOp::kSum)),
                    "");
        }
      },
      small_chunks());
}

TEST(Requests, OfDifferentKindsRunSideBySide) {
  on_all_worlds(
      [](Communicator& c) {
        auto sums = values_of<double>(c.rank(), kNumel);
        auto copies = values_of<std::int32_t>(c.rank(), kNumel);
        const auto& out = values_of<float>(c.rank(), kNumel);
        std::vector<float> in(kNumel);
        auto from_previous = c.recv(std::span(in), (c.rank() + c.size() - 1) % c.size());
        auto sum = c.all_reduce(std::span(sums));
        auto barrier = c.barrier();
        auto copy = c.broadcast(std::span(copies), c.size() - 1);
        auto to_next = c.send(std::span(out), (c.rank() + 1) % c.size());
        for (auto* request : {&copy, &to_next, &sum, &from_previous, &barrier}) request->wait();
        EXPECT_EQ(
            first_difference(sums, expected_reduction<double>(c.size(), kNumel, 0, ReduceOp::kSum)),
            "");
        EXPECT_EQ(first_difference(copies, values_of<std::int32_t>(c.size() - 1, kNumel)), "");
        EXPECT_EQ(
            first_difference(in, values_of<float>((c.rank() + c.size() - 1) % c.size(), kNumel)),
            "");
      },
      small_chunks());
}

TEST(Requests, TestBecomesTrueWithoutWait) {
  on_all_worlds([](Communicator& c) {
    auto values = values_of<float>(c.rank(), kNumel);
    auto request = c.all_reduce(std::span(values));
    while (!request.test()) std::this_thread::yield();
    EXPECT_FALSE(request.pending());
    EXPECT_TRUE(request.test());
    request.wait();
    EXPECT_EQ(
        first_difference(values, expected_reduction<float>(c.size(), kNumel, 0, ReduceOp::kSum)),
        "");
  });
}

TEST(Requests, MovingEmptiesTheSource) {
  on_all_worlds([](Communicator& c) {
    const int next = (c.rank() + 1) % c.size();
    int incoming = -1;
    Request request = c.recv(std::span(&incoming, 1), (c.rank() + c.size() - 1) % c.size());
    EXPECT_TRUE(request.pending());
    c.barrier().wait();  // all have seen that, before anything is sent
    Request moved = std::move(request);
    EXPECT_FALSE(request.pending());  // NOLINT(bugprone-use-after-move): that is the point
    c.send(std::span<const int>(&next, 1), next).wait();
    moved.wait();
    EXPECT_FALSE(moved.pending());
    EXPECT_EQ(incoming, c.rank());
  });
}

TEST(Requests, DestructorWaitsAndHoldsTheOwner) {
  on_all_worlds([](Communicator& c) {
    const auto values = std::make_shared<std::vector<float>>(values_of<float>(c.rank(), kNumel));
    {
      auto request = c.all_reduce({std::span(*values), values});
      EXPECT_EQ(values.use_count(), request.pending() ? 2 : 1);
    }
    EXPECT_EQ(values.use_count(), 1);
    EXPECT_EQ(
        first_difference(*values, expected_reduction<float>(c.size(), kNumel, 0, ReduceOp::kSum)),
        "");
    EXPECT_FALSE(c.poisoned());
  });
}

TEST(Requests, SeveralThreadsShareOneCommunicator) {
  on_all_worlds(
      [](Communicator& c) {
        const int next = (c.rank() + 1) % c.size();
        const int previous = (c.rank() + c.size() - 1) % c.size();
        const auto ping = [&](int tag) {
          for (std::uint64_t round = 0; round < 20; ++round) {
            const auto salt = round * 10 + static_cast<std::uint64_t>(tag);
            const auto& out = values_of<float>(c.rank(), 3000, salt);
            std::vector<float> in(out.size());
            auto receiving = c.recv(std::span(in), previous, tag);
            c.send(std::span(out), next, tag).wait();
            receiving.wait();
            EXPECT_EQ(first_difference(in, values_of<float>(previous, 3000, salt)), "");
          }
        };
        std::vector<std::jthread> threads;
        for (int tag = 1; tag <= 3; ++tag) threads.emplace_back(ping, tag);
        for (std::uint64_t round = 0; round < 20; ++round) {
          auto values = values_of<float>(c.rank(), 5000, round);
          c.all_reduce(std::span(values)).wait();
          EXPECT_EQ(first_difference(
                        values, expected_reduction<float>(c.size(), 5000, round, ReduceOp::kSum)),
                    "");
        }
      },
      small_chunks());
}

double thread_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

TEST(Requests, WaitingLeavesTheCoreToOthers) {
  on_all_worlds([](Communicator& c) {
    if (c.size() == 1) return;
    int value = 0;
    if (c.rank() == 1) {
      std::this_thread::sleep_for(400ms);
      c.send(std::span<const int>(&value, 1), 0).wait();
    } else if (c.rank() == 0) {
      auto request = c.recv(std::span(&value, 1), 1);
      const double before = thread_cpu_seconds();
      request.wait();
      EXPECT_LT(thread_cpu_seconds() - before, 0.1 * 0.4);
    }
    c.barrier().wait();
  });
}

}  // namespace
}  // namespace convoy::tests
