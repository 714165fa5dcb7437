// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/noisy_sum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/errors.h"
#include "base/random.h"
#include "comm/local/local.h"

namespace convoy::trainer::privacy {
namespace {

using Values = std::vector<float>;

/// Exact: squares of whole numbers below 2^30, and few of them.
long double norm_of(std::span<const double> grid_steps, double grid) {
  long double squares = 0.0L;
  for (const double steps : grid_steps) {
    squares += static_cast<long double>(steps) * static_cast<long double>(steps);
  }
  return std::sqrt(squares) * static_cast<long double>(grid);
}

/// What one vector brings in.
std::vector<double> contribution(const Values& values, double clip) {
  NoisySum sum(static_cast<std::int64_t>(values.size()), clip, 1.0);
  sum.add(values);
  return {sum.grid_sum().begin(), sum.grid_sum().end()};
}

TEST(NoisySum, NoVectorMovesItByMoreThanTheClip) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kTiny = std::numeric_limits<float>::denorm_min();
  Random random(5);
  for (const double clip : {0.1, 1.0, 1.7, 3e-8, 2.5e9}) {
    const auto c = static_cast<float>(clip);
    std::vector<Values> adversaries{
        Values(1000, kLargest), Values(1000, -kLargest), Values(1000, kTiny), Values{c}, Values{-c},
        Values{std::nextafter(c, 2 * c)}, Values{kLargest, kTiny, -kTiny}, Values(4, c / 2),
        // each would be rounded up
        Values(1000, c / std::sqrt(1000.0F))};
    for (int i = 0; i < 200; ++i) {
      Values values(1 + random.below(2000));
      const double scale = clip * std::exp(20.0 * random.uniform() - 10.0);
      for (float& value : values) value = static_cast<float>(scale * random.normal());
      adversaries.push_back(std::move(values));
    }
    const double grid = NoisySum(1, clip, 1.0).grid();
    for (const Values& values : adversaries) {
      EXPECT_LE(norm_of(contribution(values, clip), grid), static_cast<long double>(clip))
          << values.size() << " " << values[0];
    }
  }
}

TEST(NoisySum, VectorsThatAreNotFiniteBringNothing) {
  for (const float bad : {std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity(), std::nanf("")}) {
    EXPECT_EQ(contribution({1.0F, bad, 1.0F}, 1.0), (std::vector<double>{0.0, 0.0, 0.0}));
  }
}

TEST(NoisySum, ShortVectorsStayAsTheyAreAndLongOnesKeepTheirDirection) {
  NoisySum sum(3, 1.0, 0.0);
  const auto entropy = insecure_entropy(1);
  sum.add(Values{0.5F, -0.25F, 0.125F});
  EXPECT_EQ(sum.release(*entropy), (std::vector<double>{0.5, -0.25, 0.125}));
  sum.add(Values{300.0F, 0.0F, -400.0F});
  const auto clipped = sum.release(*entropy);
  EXPECT_NEAR(clipped[0], 0.6, 2e-6);
  EXPECT_EQ(clipped[1], 0.0);
  EXPECT_NEAR(clipped[2], -0.8, 2e-6);
  EXPECT_EQ(sum.release(*entropy), (std::vector<double>{0.0, 0.0, 0.0}));  // it started anew
}

/// Removing one vector from a sum of many changes it by just what that one brings in.
TEST(NoisySum, IsExactWhateverTheOrder) {
  Random random(6);
  std::vector<Values> vectors(300, Values(50));
  for (auto& vector : vectors) {
    const double scale = std::exp(10.0 * random.uniform() - 5.0);
    for (float& value : vector) value = static_cast<float>(scale * random.normal());
  }
  NoisySum all(50, 1.0, 1.0);
  for (const auto& vector : vectors) all.add(vector);
  NoisySum without(50, 1.0, 1.0);
  for (std::size_t i = vectors.size() - 1; i > 0; --i) without.add(vectors[i]);
  const auto first = contribution(vectors[0], 1.0);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(all.grid_sum()[i] - without.grid_sum()[i], first[i]);
  }
}

TEST(NoisySum, NoiseHasItsVarianceAndNoMeanAndIsNewEachTime) {
  constexpr std::int64_t kCount = 100000;
  constexpr double kClip = 1.5;
  constexpr double kSigma = 0.8;
  constexpr double kDeviation = kSigma * kClip;
  NoisySum sum(kCount, kClip, kSigma);
  const auto entropy = insecure_entropy(9);
  const auto first = sum.release(*entropy);  // an empty batch: noise alone
  const auto second = sum.release(*entropy);
  double mean = 0.0;
  double squares = 0.0;
  double product = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    mean += first[i];
    squares += first[i] * first[i];
    product += first[i] * second[i];
  }
  const double n = kCount;
  EXPECT_NEAR(mean / n, 0.0, 5 * kDeviation / std::sqrt(n));
  EXPECT_NEAR(squares / n / (kDeviation * kDeviation), 1.0, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(product / n / (kDeviation * kDeviation), 0.0, 5 / std::sqrt(n));  // between steps
}

TEST(NoisySum, TheMeanOverManyReleasesIsTheSum) {
  constexpr int kTimes = 20000;
  const Values values{0.3F, -0.4F};
  NoisySum sum(2, 1.0, 2.0);
  const auto entropy = insecure_entropy(10);
  double mean[2] = {};
  for (int i = 0; i < kTimes; ++i) {
    sum.add(values);
    const auto released = sum.release(*entropy);
    for (int k = 0; k < 2; ++k) mean[k] += released[k] / kTimes;
  }
  for (int k = 0; k < 2; ++k) EXPECT_NEAR(mean[k], values[k], 5 * 2.0 / std::sqrt(kTimes));
}

/// Whatever the sum is, the same numbers are possible.
TEST(NoisySum, ReleasesPointsOfTheGridOnly) {
  NoisySum sum(1000, 0.7, 1.1);
  sum.add(Values(1000, 0.0123F));
  for (const double value : sum.release(*os_entropy())) {
    const double steps = value / sum.grid();
    ASSERT_EQ(steps, std::round(steps));
    ASSERT_LT(std::abs(steps), 0x1.0p52);
  }
}

TEST(NoisySum, ASiteOfManyRanksAddsNoiseOnceAndAllGetTheSameBits) {
  constexpr std::int64_t kCount = 20000;
  constexpr double kSigma = 1.3;
  for (const int ranks : {1, 2, 3, 5}) {
    std::vector<std::vector<double>> released(static_cast<std::size_t>(ranks));
    comm::local::run(ranks, [&](comm::Communicator& site) {
      NoisySum sum(kCount, 1.0, kSigma);
      for (int i = 0; i <= site.rank(); ++i) sum.add(Values(kCount, 0.001F));
      // Each rank draws its own: only rank 0's counts.
      const auto entropy = insecure_entropy(100 + static_cast<std::uint64_t>(site.rank()));
      released[static_cast<std::size_t>(site.rank())] = sum.release(*entropy, &site);
    });
    const auto& first = released[0];
    for (const auto& other : released) {
      ASSERT_EQ(std::memcmp(first.data(), other.data(), first.size() * sizeof(double)), 0);
    }
    const double expected = 0.001 * ranks * (ranks + 1) / 2;
    double mean = 0.0;
    double squares = 0.0;
    for (const double value : first) {
      mean += value / kCount;
      squares += (value - expected) * (value - expected) / kCount;
    }
    EXPECT_NEAR(mean, expected, 5 * kSigma / std::sqrt(kCount));
    EXPECT_NEAR(squares / (kSigma * kSigma), 1.0, 5 * std::sqrt(2.0 / kCount)) << ranks;
  }
}

TEST(NoisySum, RefusesWhatItCannotHoldExactly) {
  EXPECT_THROW(NoisySum(1, 0.0, 1.0), ContractError);
  EXPECT_THROW(NoisySum(1, std::numeric_limits<double>::infinity(), 1.0), ContractError);
  EXPECT_THROW(NoisySum(1, 1e-320, 1.0), ContractError);
  EXPECT_THROW(NoisySum(1, 1.0, 1e6), ContractError);
  NoisySum sum(2, 1.0, 1.0);
  EXPECT_THROW(sum.add(Values(3)), ContractError);
}

}  // namespace
}  // namespace convoy::trainer::privacy
