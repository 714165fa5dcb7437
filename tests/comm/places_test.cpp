// SPDX-License-Identifier: Apache-2.0
// Collectives that begin in another order than that of their places, on threads, sockets and MPI.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "base/errors.h"
#include "base/random.h"
#include "tests/comm/values.h"
#include "tests/comm/worlds.h"

namespace convoy::tests {
namespace {

using comm::Communicator;
using comm::PlaceFor;
using comm::ReduceOp;
using comm::Request;
using comm::Turn;

constexpr std::uint64_t kOperations = 10;

std::vector<std::uint64_t> shuffled(Random& random) {
  std::vector<std::uint64_t> order(kOperations);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

// Sums of many lengths, and short gathers in between.
void run_in_any_order(Communicator& c) {
  Random random(static_cast<std::uint64_t>(c.rank()) + 5);
  const auto ranks = static_cast<std::size_t>(c.size());
  std::vector<std::vector<float>> values;
  for (std::uint64_t k = 0; k < kOperations; ++k) {
    values.push_back(values_of<float>(c.rank(), 1 + k * k * k * 60, k));
  }
  std::vector<std::int64_t> own(kOperations, 100 * c.rank());
  std::vector<std::vector<std::int64_t>> all(kOperations, std::vector<std::int64_t>(ranks, -1));
  const std::uint64_t first = c.reserve(kOperations, PlaceFor::kAllReduce);
  const std::uint64_t first_gather = c.reserve(kOperations, PlaceFor::kOther);
  std::vector<Request> requests;
  for (const std::uint64_t k : shuffled(random)) {
    const int priority = static_cast<int>(random.below(3));
    requests.push_back(c.all_reduce(std::span(values[k]), ReduceOp::kSum, {priority, first + k}));
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(200)));
    requests.push_back(c.all_gather(std::span<const std::int64_t>(&own[k], 1), std::span(all[k]),
                                    {priority, first_gather + k}));
  }
  int after = c.rank();
  requests.push_back(c.all_reduce(std::span(&after, 1), ReduceOp::kMax));
  for (Request& request : requests) request.wait();
  for (std::uint64_t k = 0; k < kOperations; ++k) {
    const auto expected = expected_reduction<float>(c.size(), values[k].size(), k, ReduceOp::kSum);
    EXPECT_EQ(first_difference(values[k], expected), "");
    for (std::size_t r = 0; r < ranks; ++r) EXPECT_EQ(all[k][r], 100 * static_cast<int>(r));
  }
  EXPECT_EQ(after, c.size() - 1);
}

TEST(Places, LetCollectivesBeginInAnyOrder) {
  for (const int ranks : world_sizes()) {
    run_world(ranks, run_in_any_order, {.chunk_bytes = 4096});
    run_world(ranks, run_in_any_order, {.chunk_bytes = 4096, .shared_memory = false});
  }
}

TEST(Places, MustBeReserved) {
  run_world(world_sizes().front(), [](Communicator& c) {
    int value = 1;
    EXPECT_THROW((void)c.all_reduce(std::span(&value, 1), ReduceOp::kSum, {.place = 1}),
                 ContractError);
    const std::uint64_t place = c.reserve(1, PlaceFor::kAllReduce);
    c.all_reduce(std::span(&value, 1), ReduceOp::kSum, {.place = place}).wait();
    EXPECT_EQ(value, c.size());
    EXPECT_THROW((void)c.all_reduce(std::span(&value, 1), ReduceOp::kSum, {.place = place}),
                 ContractError);
    const std::uint64_t other = c.reserve(1, PlaceFor::kOther);
    EXPECT_THROW((void)c.all_reduce(std::span(&value, 1), ReduceOp::kSum, {.place = other}),
                 ContractError);
    c.broadcast(std::span(&value, 1), 0, {.place = other}).wait();
    c.barrier().wait();
  });
}

TEST(Places, LetOneCollectiveDependOnAnotherWhileLaterOnesAreUnderWay) {
  for (const int ranks : world_sizes()) {
    run_world(ranks, [](Communicator& c) {
      std::vector<double> first(20'000, 1.0);
      std::vector<double> second(30'000, 2.0);
      const std::uint64_t places = c.reserve(2, PlaceFor::kAllReduce);
      auto one = c.all_reduce(std::span(first), ReduceOp::kSum, {.place = places});
      auto later = c.all_reduce(std::span(second));
      one.wait();
      auto two = c.all_reduce(std::span(first), ReduceOp::kSum, {.place = places + 1});
      two.wait();
      later.wait();
      const auto n = static_cast<double>(c.size());
      EXPECT_EQ(std::ranges::count(first, n * n), std::ssize(first));
      EXPECT_EQ(std::ranges::count(second, 2.0 * n), std::ssize(second));
    });
  }
}

}  // namespace
}  // namespace convoy::tests
