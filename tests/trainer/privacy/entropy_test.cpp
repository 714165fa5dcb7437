// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/entropy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>
#include <vector>

#include "trainer/privacy/normal.h"
#include "trainer/privacy/poisson.h"

namespace convoy::trainer::privacy {
namespace {

TEST(Entropy, TheSystemsNeverRepeats) {
  const auto one = os_entropy();
  const auto other = os_entropy();
  EXPECT_TRUE(one->is_secure());
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 3000; ++i) {
    seen.insert(one->bits());
    seen.insert(other->bits());
  }
  EXPECT_EQ(seen.size(), 6000U);
}

TEST(Entropy, ASeededOneIsMarkedAndRepeats) {
  const auto one = insecure_entropy(7);
  const auto same = insecure_entropy(7);
  const auto other = insecure_entropy(8);
  EXPECT_FALSE(one->is_secure());
  for (int i = 0; i < 2000; ++i) {
    const auto bits = one->bits();
    ASSERT_EQ(bits, same->bits());
    ASSERT_NE(bits, other->bits());
  }
}

TEST(Entropy, UniformIsNeverZero) {
  const auto entropy = insecure_entropy(1);
  double sum = 0.0;
  for (int i = 0; i < 100000; ++i) {
    const double u = entropy->uniform();
    ASSERT_GT(u, 0.0);
    ASSERT_LE(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 5.0 / std::sqrt(12.0 * 100000));
}

TEST(Normal, HasTheMomentsOfANormalDistribution) {
  constexpr std::size_t kCount = 200001;  // an odd one: pairs are cut
  std::vector<double> values(kCount);
  fill_normal(values, *insecure_entropy(3));
  const double n = kCount;
  double sum = 0.0;
  double squares = 0.0;
  double fourth = 0.0;
  double neighbours = 0.0;
  std::size_t beyond = 0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double v = values[i];
    sum += v;
    squares += v * v;
    fourth += v * v * v * v;
    if (i > 0) neighbours += v * values[i - 1];
    beyond += std::abs(v) > 1.959963984540054 ? 1 : 0;
  }
  constexpr double kSigmas = 5.0;
  EXPECT_NEAR(sum / n, 0.0, kSigmas / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, kSigmas * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3.0, kSigmas * std::sqrt(96.0 / n));
  EXPECT_NEAR(neighbours / n, 0.0, kSigmas / std::sqrt(n));
  EXPECT_NEAR(static_cast<double>(beyond) / n, 0.05, kSigmas * std::sqrt(0.05 * 0.95 / n));
}

TEST(Poisson, TakesEveryRecordWithItsRateAlone) {
  std::vector<std::int64_t> records(50);
  std::iota(records.begin(), records.end(), std::int64_t{100});
  const auto entropy = insecure_entropy(4);
  constexpr double kRate = 0.2;
  constexpr int kTimes = 20000;
  std::vector<int> taken(records.size());
  double size_sum = 0.0;
  double size_squares = 0.0;
  int together = 0;  // records 0 and 1
  for (int i = 0; i < kTimes; ++i) {
    const auto chosen = poisson_sample(records, kRate, *entropy);
    for (const auto record : chosen) ++taken[static_cast<std::size_t>(record - 100)];
    const auto size = static_cast<double>(chosen.size());
    size_sum += size;
    size_squares += size * size;
    together += chosen.size() >= 2 && chosen[0] == 100 && chosen[1] == 101 ? 1 : 0;
  }
  for (const int count : taken) {
    EXPECT_NEAR(count, kRate * kTimes, 5 * std::sqrt(kRate * (1 - kRate) * kTimes));
  }
  const double mean = size_sum / kTimes;
  EXPECT_NEAR(mean, 10.0, 5 * std::sqrt(8.0 / kTimes));
  EXPECT_NEAR(size_squares / kTimes - mean * mean, 8.0, 0.5);  // no batch of fixed size
  EXPECT_NEAR(together, 0.04 * kTimes, 5 * std::sqrt(0.04 * 0.96 * kTimes));
  EXPECT_EQ(poisson_sample(records, 1.0, *entropy), records);
  EXPECT_TRUE(poisson_sample(records, 0.0, *entropy).empty());
}

}  // namespace
}  // namespace convoy::trainer::privacy
