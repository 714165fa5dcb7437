// SPDX-License-Identifier: Apache-2.0
#include "scheduler/work_shares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"

namespace convoy::tests {
namespace {

using scheduler::makespan;
using scheduler::RoundTime;
using scheduler::work_shares;
using Shares = std::vector<std::int64_t>;

TEST(WorkShares, AreInProportionToSpeed) {
  const std::vector<RoundTime> workers{{0, 1}, {0, 1}, {0, 3}};
  EXPECT_EQ(work_shares(192, workers), (Shares{83, 82, 27}));
  EXPECT_EQ(work_shares(7, workers), (Shares{3, 3, 1}));
  EXPECT_DOUBLE_EQ(makespan(Shares{3, 3, 1}, workers), 3.0);
}

TEST(WorkShares, CountWhatARoundCostsAnyway) {
  const std::vector<RoundTime> workers{{10, 1}, {0, 1}};
  EXPECT_EQ(work_shares(30, workers), (Shares{10, 20}));
  EXPECT_EQ(work_shares(4, workers), (Shares{1, 3}));
}

TEST(WorkShares, GiveEveryoneASample) {
  const std::vector<RoundTime> workers{{0, 1}, {0, 1000}};
  EXPECT_EQ(work_shares(2, workers), (Shares{1, 1}));
  EXPECT_THROW((void)work_shares(1, workers), ContractError);
  EXPECT_THROW((void)work_shares(1, {}), ContractError);
}

/// The least makespan of all ways to deal `left` samples out to workers[i..].
double least_by_trying(std::span<const RoundTime> workers, std::size_t i, std::int64_t left) {
  if (i + 1 == workers.size()) return workers[i].of(static_cast<double>(left));
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t own = 1; own <= left - std::ssize(workers.subspan(i + 1)); ++own) {
    least = std::min(least, std::max(workers[i].of(static_cast<double>(own)),
                                     least_by_trying(workers, i + 1, left - own)));
  }
  return least;
}

TEST(WorkShares, AreNotSlowerThanAnyOther) {
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    std::vector<RoundTime> workers;
    for (std::uint64_t i = 0; i < 2 + random.below(3); ++i) {
      workers.push_back({3.0 * random.uniform(), 0.1 + random.uniform()});
    }
    const auto total = static_cast<std::int64_t>(workers.size() + random.below(12));
    const auto shares = work_shares(total, workers);
    EXPECT_EQ(std::accumulate(shares.begin(), shares.end(), std::int64_t{0}), total);
    EXPECT_LE(makespan(shares, workers), least_by_trying(workers, 0, total) + 1e-12);
  }
}

}  // namespace
}  // namespace convoy::tests
