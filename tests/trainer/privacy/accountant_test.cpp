// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/accountant.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "base/errors.h"

namespace convoy::trainer::privacy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double rdp_at(const Mechanism& mechanism, int order) {
  return rdp_of(mechanism)[static_cast<std::size_t>(order - kLowestOrder)];
}

double epsilon(const Mechanism& mechanism, std::int64_t steps, double delta) {
  Accountant accountant;
  accountant.add(mechanism, steps);
  return accountant.spent(delta).epsilon;
}

/// The published values that docs/privacy.md lists.
TEST(Accountant, GivesThePublishedEpsilons) {
  struct Case {
    Mechanism mechanism;
    std::int64_t steps;
    double delta;
    double epsilon;
  };
  for (const auto& [mechanism, steps, delta, expected] :
       {Case{{0.0025, 1.3}, 6000, 1e-5, 0.724223}, Case{{0.001, 1.0}, 30000, 1e-7, 1.415499},
        Case{{0.04, 1.5}, 2250, 1e-5, 7.329877}, Case{{0.01, 4.0}, 10000, 1e-5, 1.035490},
        Case{{1.0, 8.0}, 100, 1e-5, 6.158978}}) {
    EXPECT_NEAR(epsilon(mechanism, steps, delta), expected, 1e-4)
        << mechanism.q << " " << mechanism.sigma;
  }
}

TEST(Accountant, ComposesRoundsOfUnequalLength) {
  constexpr Mechanism kStep{0.01, 1.0};
  Accountant accountant;
  for (const int steps : {20, 100, 37}) accountant.add(kStep, steps);
  EXPECT_NEAR(accountant.spent(1e-5).epsilon, 1.326400, 1e-6);
  EXPECT_EQ(accountant.steps(), 157);
  // The sum of the rounds' own epsilons is what it is not.
  EXPECT_GT(epsilon(kStep, 20, 1e-5) + epsilon(kStep, 100, 1e-5) + epsilon(kStep, 37, 1e-5), 2.0);
}

TEST(Accountant, GivesTheSameBitsHoweverStepsWereCutAndOrdered) {
  constexpr Mechanism kOne{0.01, 1.0};
  constexpr Mechanism kOther{0.02, 1.7};
  Accountant first;
  first.add(kOne, 157);
  first.add(kOther, 10);
  Accountant second;
  for (const int steps : {3, 7}) second.add(kOther, steps);
  for (const int steps : {37, 100, 20}) second.add(kOne, steps);
  EXPECT_EQ(first.curve(), second.curve());
  EXPECT_EQ(first.spent(1e-5).epsilon, second.spent(1e-5).epsilon);
  EXPECT_EQ(second.releases(),
            (std::vector<std::pair<Mechanism, std::int64_t>>{{kOne, 157}, {kOther, 10}}));
}

TEST(Accountant, AddsTheCurvesOfUnlikeMechanisms) {
  constexpr Mechanism kOne{0.01, 1.0};
  constexpr Mechanism kOther{1.0, 5.0};
  Accountant accountant;
  accountant.add(kOne, 100);
  accountant.add(kOther, 3);
  const auto one = rdp_of(kOne);
  const auto other = rdp_of(kOther);
  const auto sum = accountant.curve();
  for (std::size_t i = 0; i < sum.size(); ++i) {
    EXPECT_DOUBLE_EQ(sum[i], 100 * one[i] + 3 * other[i]);
  }
}

/// By integrating the divergence itself: tests/trainer/privacy/renyi_divergence.py (mpmath 1.3.0).
TEST(Accountant, AgreesWithTheIntegratedDivergence) {
  struct Case {
    Mechanism mechanism;
    int order;
    double rdp;
  };
  for (const auto& [mechanism, order, expected] :
       {Case{{0.01, 1.0}, 2, 0.00017181342207454793}, Case{{0.01, 1.0}, 8, 0.00089364390760603185},
        Case{{0.01, 4.0}, 32, 0.00010526360659081726}, Case{{0.04, 1.5}, 5, 0.0024239246923765915},
        Case{{0.0025, 1.3}, 17, 4.4628528628626801e-5}, Case{{0.2, 0.7}, 3, 0.8322225964201893},
        Case{{0.5, 10.0}, 64, 0.094957297162412835}, Case{{0.001, 1.0}, 11, 9.692321049908824e-6},
        Case{{0.9, 2.0}, 256, 31.894226305849398}}) {
    EXPECT_NEAR(rdp_at(mechanism, order) / expected, 1.0, 1e-12)
        << mechanism.q << " " << mechanism.sigma << " " << order;
  }
}

TEST(Accountant, TakesTheClosedFormWithoutSubsampling) {
  for (const double sigma : {0.3, 1.0, 8.0, 400.0}) {
    for (const int order : {2, 17, 256}) {
      EXPECT_DOUBLE_EQ(rdp_at({1.0, sigma}, order), order / (2.0 * sigma * sigma));
      // The formula itself, just before it.
      EXPECT_NEAR(rdp_at({1.0 - 1e-12, sigma}, order) / rdp_at({1.0, sigma}, order), 1.0, 1e-6);
    }
  }
}

TEST(Accountant, GrowsWithStepsAndRateAndShrinksWithSigma) {
  double before = 0.0;
  for (const int steps : {1, 2, 10, 1000, 100000}) {
    const double now = epsilon({0.01, 1.2}, steps, 1e-5);
    EXPECT_GT(now, before);
    before = now;
  }
  before = 0.0;
  for (const double q : {1e-6, 1e-3, 0.01, 0.1, 0.5, 0.99, 1.0}) {
    const double now = epsilon({q, 1.2}, 100, 1e-5);
    EXPECT_GT(now, before) << q;
    before = now;
  }
  before = kInfinity;
  for (const double sigma : {0.1, 0.5, 1.0, 3.0, 50.0}) {
    const double now = epsilon({0.01, sigma}, 100, 1e-5);
    EXPECT_LT(now, before) << sigma;
    before = now;
  }
  EXPECT_GT(epsilon({0.01, 1.2}, 100, 1e-7), epsilon({0.01, 1.2}, 100, 1e-5));
}

TEST(Accountant, StandsTinyAndHugeNoise) {
  for (const double q : {1e-300, 1e-9, 0.01, 0.5, 1.0 - 1e-15, 1.0}) {
    for (const double sigma : {1e-200, 1e-8, 1e-3, 1e6, 1e150, 1e300}) {
      double before = 0.0;
      for (const double rdp : rdp_of({q, sigma})) {
        EXPECT_FALSE(std::isnan(rdp)) << q << " " << sigma;
        EXPECT_GE(rdp, before);  // in the order too
        before = rdp;
      }
    }
  }
  EXPECT_EQ(epsilon({0.01, 1e-200}, 1, 1e-5), kInfinity);
  // q^2 a / (2 sigma^2) in the limit: a logarithm of A would be lost in the rounding of 1.
  EXPECT_NEAR(rdp_at({0.01, 1e9}, 100) / (0.01 * 0.01 * 100 / 2e18), 1.0, 1e-6);
  EXPECT_NEAR(epsilon({0.01, 1e6}, 1, 1e-5), smallest_epsilon(1e-5), 1e-9);
}

TEST(Accountant, CountsNothingWhereNothingIsReleased) {
  Accountant accountant;
  EXPECT_EQ(accountant.spent(1e-5).epsilon, 0.0);
  accountant.add({0.01, 1.0}, 0);
  accountant.add({0.0, 1.0}, 10);
  accountant.add({0.5, kInfinity}, 10);
  EXPECT_EQ(accountant.spent(1e-5).epsilon, 0.0);
  EXPECT_EQ(accountant.spent(1e-5).order, 0);
}

TEST(Accountant, RefusesWhatIsNoMechanism) {
  Accountant accountant;
  EXPECT_THROW(accountant.add({-0.1, 1.0}, 1), ContractError);
  EXPECT_THROW(accountant.add({1.1, 1.0}, 1), ContractError);
  EXPECT_THROW(accountant.add({std::nan(""), 1.0}, 1), ContractError);
  EXPECT_THROW(accountant.add({0.1, 0.0}, 1), ContractError);
  EXPECT_THROW(accountant.add({0.1, 1.0}, -1), ContractError);
  EXPECT_THROW((void)accountant.spent(0.0), ContractError);
  EXPECT_THROW((void)accountant.spent(1.0), ContractError);
}

TEST(StepsAllowed, EndsAtTheLastStepThatTheBudgetHolds) {
  constexpr Mechanism kStep{0.01, 1.0};
  Accountant spent;
  spent.add(kStep, 20);
  for (const double limit : {1.1, 1.3264, 2.0, 8.0}) {
    const Budget budget{.epsilon = limit, .delta = 1e-5};
    const std::int64_t steps = steps_allowed(spent, budget, kStep);
    ASSERT_GT(steps, 0);
    EXPECT_LE(spent.spent_with(kStep, steps, 1e-5).epsilon, limit);
    EXPECT_GT(spent.spent_with(kStep, steps + 1, 1e-5).epsilon, limit);
  }
  // A budget that n steps use up to the bit allows just these n.
  for (const int steps : {1, 2, 3, 137, 1000}) {
    const double limit = spent.spent_with(kStep, steps, 1e-5).epsilon;
    EXPECT_EQ(steps_allowed(spent, {limit, 1e-5}, kStep), steps);
    EXPECT_EQ(steps_allowed(spent, {std::nextafter(limit, 0.0), 1e-5}, kStep), steps - 1);
    EXPECT_EQ(steps_allowed(spent, {limit, 1e-5}, kStep, steps + 5), steps);
    EXPECT_EQ(steps_allowed(spent, {limit, 1e-5}, kStep, steps), steps);
    EXPECT_EQ(steps_allowed(spent, {limit, 1e-5}, kStep, steps - 1), steps - 1);
  }
}

TEST(StepsAllowed, CountsWhatOtherMechanismsHaveSpent) {
  constexpr Mechanism kStep{0.01, 1.0};
  Accountant spent;
  const auto fresh = steps_allowed(spent, {2.0, 1e-5}, kStep);
  spent.add({0.05, 2.0}, 50);
  const auto rest = steps_allowed(spent, {2.0, 1e-5}, kStep);
  EXPECT_LT(rest, fresh);
  EXPECT_GT(rest, 0);
  EXPECT_EQ(steps_allowed(spent, {0.5, 1e-5}, kStep), 0);
  EXPECT_EQ(steps_allowed(spent, {0.0, 1e-5}, kStep), 0);
  EXPECT_EQ(steps_allowed({}, {0.019, 1e-5}, {1e-9, 1e9}), 0);  // below smallest_epsilon()
  EXPECT_EQ(steps_allowed({}, {1.0, 1e-5}, {0.0, 1.0}), kMostSteps);
  EXPECT_EQ(steps_allowed({}, {1.0, 1e-5}, {0.5, 1e-200}), 0);
}

TEST(SigmaFor, IsTheSmallestThatKeepsTheBudget) {
  Accountant spent;
  spent.add({0.02, 1.1}, 40);
  const Budget budget{.epsilon = 3.0, .delta = 1e-6};
  const auto sigma = sigma_for(spent, budget, 0.01, 2000);
  ASSERT_TRUE(sigma.has_value());
  EXPECT_LE(spent.spent_with({0.01, *sigma}, 2000, 1e-6).epsilon, 3.0);
  EXPECT_GT(spent.spent_with({0.01, *sigma * (1.0 - 1e-7)}, 2000, 1e-6).epsilon, 3.0);
  EXPECT_FALSE(sigma_for({}, {0.01, 1e-5}, 0.01, 1).has_value());
  // Back from the published table.
  EXPECT_NEAR(*sigma_for({}, {0.724223, 1e-5}, 0.0025, 6000), 1.3, 1e-4);
}

}  // namespace
}  // namespace convoy::trainer::privacy
