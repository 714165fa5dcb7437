// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/errors.h"
#include "base/random.h"
#include "trainer/data/internal/dirichlet.h"
#include "trainer/data/partition_table.h"

namespace convoy::trainer {
namespace {

using Labels = std::vector<std::int64_t>;

constexpr std::int64_t kClasses = 10;

Labels balanced(std::int64_t samples, std::int64_t classes = kClasses) {
  Labels labels;
  for (std::int64_t i = 0; i < samples; ++i) labels.push_back(i % classes);
  return labels;
}

/// Class c is twice as frequent as class c + 1.
Labels skewed(std::int64_t samples) {
  Random random(std::uint64_t{11});
  Labels labels;
  for (std::int64_t i = 0; i < samples; ++i) {
    std::int64_t c = 0;
    while (c + 1 < kClasses && random.below(2) == 1) ++c;
    labels.push_back(c);
  }
  return labels;
}

void expect_whole(const Partition& partition, const Labels& labels, std::int64_t clients,
                  std::int64_t minimum) {
  ASSERT_EQ(partition.size(), static_cast<std::size_t>(clients));
  Labels all;
  for (const auto& own : partition) {
    EXPECT_GE(own.size(), static_cast<std::size_t>(minimum));
    EXPECT_TRUE(std::is_sorted(own.begin(), own.end()));
    all.insert(all.end(), own.begin(), own.end());
  }
  std::sort(all.begin(), all.end());
  Labels expected(labels.size());
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  EXPECT_EQ(all, expected);
}

TEST(Partition, DealsEverySampleOnceAndKeepsTheMinimumWhateverTheConcentration) {
  for (const char* name : {"iid", "dirichlet", "dual_dirichlet"}) {
    for (const double alpha : {1e-300, 1e-6, 0.01, 0.5, 1e6}) {
      for (const std::int64_t clients : {1, 2, 7, 40}) {
        for (const std::uint64_t seed : {1, 2, 3}) {
          SCOPED_TRACE(std::string(name) + " " + std::to_string(alpha) + " " +
                       std::to_string(clients));
          const PartitionConfig config{.name = name, .alpha = alpha, .size_alpha = alpha};
          for (const auto& labels : {balanced(403), skewed(403)}) {
            expect_whole(make_partition(config, labels, kClasses, clients, seed), labels, clients,
                         config.min_samples);
          }
        }
      }
    }
  }
}

TEST(Partition, TheSmallestPossibleSharesWork) {
  const PartitionConfig config{.name = "dirichlet", .alpha = 0.01, .min_samples = 10};
  const auto labels = balanced(400);
  expect_whole(make_partition(config, labels, kClasses, 40, 1), labels, 40, 10);
}

TEST(Partition, GivesEachClientItsNumberOfClassesAndEveryClassAHolder) {
  const auto labels = balanced(2000);
  for (const std::int64_t per_client : {1, 2, 3, 10}) {
    for (const std::int64_t clients : {10, 13, 50}) {
      const PartitionConfig config{.name = "classes", .classes_per_client = per_client};
      const auto partition = make_partition(config, labels, kClasses, clients, 5);
      expect_whole(partition, labels, clients, config.min_samples);
      for (const auto& own : count_classes(partition, labels, kClasses)) {
        EXPECT_EQ(std::count_if(own.begin(), own.end(), [](auto n) { return n > 0; }), per_client);
      }
    }
  }
}

TEST(Partition, SameSeedSameSharesAnotherSeedOthers) {
  const auto labels = skewed(500);
  for (const char* name : {"iid", "classes", "dirichlet", "dual_dirichlet"}) {
    const PartitionConfig config{.name = name, .classes_per_client = 3};
    const auto first = make_partition(config, labels, kClasses, 6, 1);
    EXPECT_EQ(first, make_partition(config, labels, kClasses, 6, 1)) << name;
    EXPECT_NE(first, make_partition(config, labels, kClasses, 6, 2)) << name;
  }
}

TEST(Partition, AlphaGovernsHowUnlikeTheClientsAre) {
  const auto labels = balanced(5000);
  for (const char* name : {"dirichlet", "dual_dirichlet"}) {
    double before = 1.0;
    for (const double alpha : {0.05, 0.5, 5.0, 500.0}) {
      const PartitionConfig config{.name = name, .alpha = alpha};
      const auto partition = make_partition(config, labels, kClasses, 10, 3);
      const double score = heterogeneity(count_classes(partition, labels, kClasses));
      EXPECT_LT(score, before) << name << " " << alpha;
      before = score;
    }
    EXPECT_LT(before, 0.05) << name;
  }
}

TEST(Partition, DualDirichletVariesSizesBySizeAlphaAlone) {
  const auto labels = balanced(6000);
  const auto spread = [&](double size_alpha) {
    const PartitionConfig config{.name = "dual_dirichlet", .alpha = 1.0, .size_alpha = size_alpha};
    const auto partition = make_partition(config, labels, kClasses, 12, 9);
    const auto [smallest, largest] =
        std::minmax_element(partition.begin(), partition.end(),
                            [](const auto& a, const auto& b) { return a.size() < b.size(); });
    return static_cast<double>(largest->size()) / static_cast<double>(smallest->size());
  };
  EXPECT_GT(spread(0.5), 5.0);
  EXPECT_LT(spread(1e6), 1.1);
}

TEST(Partition, RefusesWhatCannotBe) {
  const auto labels = balanced(100);
  const auto refused = [&](const PartitionConfig& config, std::int64_t clients) {
    EXPECT_THROW((void)make_partition(config, labels, kClasses, clients, 1), ConfigError);
  };
  refused({.name = "by_moon"}, 2);
  refused({.min_samples = 11}, 10);
  refused({.name = "classes", .classes_per_client = 11}, 2);
  refused({.name = "classes", .classes_per_client = 2}, 4);
  refused({.name = "dirichlet", .alpha = 0.0}, 2);
  refused({.name = "dirichlet", .alpha = std::numeric_limits<double>::quiet_NaN()}, 2);
  refused({.name = "dual_dirichlet", .size_alpha = -1.0}, 2);
  refused({}, 0);
}

TEST(Dirichlet, HasTheMeanAndVarianceThatItShould) {
  const std::vector<double> alphas{0.3, 1.0, 2.7};
  constexpr int kDraws = 20'000;
  Random random(std::uint64_t{17});
  std::vector<double> sums(3);
  std::vector<double> squares(3);
  for (int i = 0; i < kDraws; ++i) {
    const auto shares = internal::dirichlet(alphas, random);
    EXPECT_NEAR(shares[0] + shares[1] + shares[2], 1.0, 1e-12);
    for (std::size_t k = 0; k < 3; ++k) sums[k] += shares[k], squares[k] += shares[k] * shares[k];
  }
  for (std::size_t k = 0; k < 3; ++k) {
    const double mean = alphas[k] / 4.0;
    const double variance = mean * (1.0 - mean) / 5.0;
    EXPECT_NEAR(sums[k] / kDraws, mean, 5.0 * std::sqrt(variance / kDraws));
    EXPECT_NEAR(squares[k] / kDraws - mean * mean, variance, 0.05 * variance);
  }
}

TEST(LargestRemainders, AddUpAndStayWithinOneOfTheShare) {
  Random random(std::uint64_t{3});
  for (int round = 0; round < 200; ++round) {
    std::vector<double> weights(1 + random.below(30));
    for (double& weight : weights) weight = random.uniform() + 1e-9;
    const auto total = static_cast<std::int64_t>(random.below(1000));
    const auto parts = internal::largest_remainders(total, weights);
    EXPECT_EQ(std::reduce(parts.begin(), parts.end()), total);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_LT(
          std::abs(static_cast<double>(parts[i]) - static_cast<double>(total) * weights[i] / sum),
          1.0);
    }
  }
  EXPECT_EQ(internal::largest_remainders(7, std::vector{1.0, 1.0, 2.0}),
            (std::vector<std::int64_t>{2, 2, 3}));
}

}  // namespace
}  // namespace convoy::trainer
