// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/accountant.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"

namespace convoy::trainer::privacy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kOrders = kHighestOrder - kLowestOrder + 1;

void check(const Mechanism& mechanism) {
  require(mechanism.q >= 0.0 && mechanism.q <= 1.0, "privacy: q must be in [0, 1]");
  require(mechanism.sigma > 0.0, "privacy: sigma must be above 0");
}

/// log(exp(x) - 1) for x >= 0, without overflow.
double log_expm1(double x) {
  constexpr double kLarge = 30.0;
  return x < kLarge ? std::log(std::expm1(x)) : x + std::log1p(-std::exp(-x));
}

/// log(1 + exp(x)), without overflow.
double log1p_exp(double x) {
  return x > 0.0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

/// log(sum of exp(terms)).
double log_sum(const std::vector<double>& terms) {
  const double largest = *std::max_element(terms.begin(), terms.end());
  if (std::isinf(largest)) return largest;
  double sum = 0.0;
  for (const double term : terms) sum += std::exp(term - largest);
  return largest + std::log(sum);
}

/// log(n!) for n = 0..kHighestOrder; std::lgamma writes to a global.
std::vector<double> log_factorials() {
  std::vector<double> logs{0.0};
  for (int n = 1; n <= kHighestOrder; ++n) logs.push_back(logs.back() + std::log(n));
  return logs;
}

double rdp_of_order(const Mechanism& mechanism, int order, const std::vector<double>& factorials) {
  const double log_q = std::log(mechanism.q);
  const double log_rest = std::log1p(-mechanism.q);
  std::vector<double> terms;
  for (int k = 2; k <= order; ++k) {
    const double binomial = factorials[order] - factorials[k] - factorials[order - k];
    // Divided twice: the square may be beyond what a double holds.
    const double exponent = 0.5 * k * (k - 1) / mechanism.sigma / mechanism.sigma;
    terms.push_back(binomial + k * log_q + (order - k) * log_rest + log_expm1(exponent));
  }
  return log1p_exp(log_sum(terms)) / (order - 1);
}

/// With one mechanism more than `accountant` holds; without computing its curves again.
class Trial {
 public:
  Trial(Accountant accountant, const Mechanism& mechanism, const Budget& budget)
      : accountant_(std::move(accountant)), mechanism_(mechanism), budget_(budget) {
    accountant_.add(mechanism_, 0);  // its curve is worked out once
  }

  [[nodiscard]] bool fits(std::int64_t steps) const {
    return accountant_.spent_with(mechanism_, steps, budget_.delta).epsilon <= budget_.epsilon;
  }

 private:
  Accountant accountant_;
  Mechanism mechanism_;
  Budget budget_;
};

}  // namespace

RdpCurve rdp_of(const Mechanism& mechanism) {
  check(mechanism);
  RdpCurve curve(kOrders, 0.0);
  if (mechanism.q == 0.0 || std::isinf(mechanism.sigma)) return curve;
  const auto factorials = log_factorials();
  for (int order = kLowestOrder; order <= kHighestOrder; ++order) {
    double& rdp = curve[static_cast<std::size_t>(order - kLowestOrder)];
    rdp = mechanism.q == 1.0 ? 0.5 * order / mechanism.sigma / mechanism.sigma
                             : rdp_of_order(mechanism, order, factorials);
  }
  return curve;
}

Spent epsilon_of(const RdpCurve& curve, double delta) {
  require(curve.size() == kOrders, "privacy: a curve has an entry for every order");
  require(delta > 0.0 && delta < 1.0, "privacy: delta must be in (0, 1)");
  if (std::all_of(curve.begin(), curve.end(), [](double rdp) { return rdp == 0.0; })) return {};
  Spent best{.epsilon = kInfinity, .order = kLowestOrder};
  for (int order = kLowestOrder; order <= kHighestOrder; ++order) {
    const double a = order;
    const double epsilon = curve[static_cast<std::size_t>(order - kLowestOrder)] +
                           std::log((a - 1.0) / a) - (std::log(delta) + std::log(a)) / (a - 1.0);
    if (epsilon < best.epsilon) best = {.epsilon = epsilon, .order = order};
  }
  best.epsilon = std::max(best.epsilon, 0.0);
  return best;
}

void Accountant::add(const Mechanism& mechanism, std::int64_t steps) {
  require(steps >= 0, "privacy: steps must not be negative");
  check(mechanism);
  Entry& entry = entries_[mechanism];
  if (entry.one.empty()) entry.one = rdp_of(mechanism);
  require(entry.steps <= kMostSteps - steps, "privacy: more steps than can be counted");
  entry.steps += steps;
}

RdpCurve Accountant::curve() const {
  RdpCurve sum(kOrders, 0.0);
  for (const auto& [mechanism, entry] : entries_) {
    if (entry.steps == 0) continue;  // 0 times infinity
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += static_cast<double>(entry.steps) * entry.one[i];
    }
  }
  return sum;
}

Spent Accountant::spent(double delta) const { return epsilon_of(curve(), delta); }

Spent Accountant::spent_with(const Mechanism& mechanism, std::int64_t steps, double delta) const {
  Accountant more = *this;
  more.add(mechanism, steps);
  return more.spent(delta);
}

std::int64_t Accountant::steps() const {
  std::int64_t steps = 0;
  for (const auto& [mechanism, entry] : entries_) steps += entry.steps;
  return steps;
}

std::vector<std::pair<Mechanism, std::int64_t>> Accountant::releases() const {
  std::vector<std::pair<Mechanism, std::int64_t>> releases;
  for (const auto& [mechanism, entry] : entries_) {
    if (entry.steps > 0) releases.emplace_back(mechanism, entry.steps);
  }
  return releases;
}

std::int64_t steps_allowed(const Accountant& spent, const Budget& budget,
                           const Mechanism& mechanism, std::int64_t wanted) {
  const Trial trial(spent, mechanism, budget);
  wanted = std::min(wanted, kMostSteps - spent.steps());
  if (wanted <= 0 || !trial.fits(1)) return 0;
  // Doubling first: the answer is most often far below what could be asked for.
  std::int64_t good = 1;
  std::int64_t bad = 2;
  while (bad <= wanted && trial.fits(bad)) {
    good = bad;
    bad = bad > wanted / 2 ? wanted + 1 : 2 * bad;
  }
  bad = std::min(bad, wanted + 1);
  while (bad - good > 1) {
    const std::int64_t middle = good + (bad - good) / 2;
    (trial.fits(middle) ? good : bad) = middle;
  }
  return good;
}

std::optional<double> sigma_for(const Accountant& spent, const Budget& budget, double q,
                                std::int64_t steps) {
  constexpr double kPrecision = 1e-9;
  constexpr double kLeast = 1e-3;
  constexpr double kMost = 1e9;
  const auto fits = [&](double sigma) {
    return spent.spent_with({.q = q, .sigma = sigma}, steps, budget.delta).epsilon <=
           budget.epsilon;
  };
  if (!fits(kMost)) return std::nullopt;
  double bad = kLeast;
  double good = kMost;
  if (fits(bad)) return bad;
  while (good > bad * (1.0 + kPrecision)) {
    const double middle = std::sqrt(good) * std::sqrt(bad);
    (fits(middle) ? good : bad) = middle;
  }
  return good;
}

double smallest_epsilon(double delta) {
  RdpCurve tiny(kOrders, std::numeric_limits<double>::min());
  return epsilon_of(tiny, delta).epsilon;
}

}  // namespace convoy::trainer::privacy
