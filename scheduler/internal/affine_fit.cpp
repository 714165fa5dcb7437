// SPDX-License-Identifier: Apache-2.0
#include "scheduler/internal/affine_fit.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace convoy::scheduler::internal {
namespace {

using Round = SpeedEstimator::Round;
using Rounds = std::span<const Round>;

constexpr int kIterations = 5;
constexpr std::size_t kFewest = 3;       // rounds
constexpr double kVaried = 0.1;          // coefficient of variation of steps
constexpr double kContradiction = 0.35;  // relative error that noise does not make twice running

double relative_error(const RoundTime& fit, const Round& round) {
  return (round.seconds - fit.of(round.steps)) / std::max(round.seconds, SpeedEstimator::kFastest);
}

/// Weights of relative errors: of age, and one over the squared duration.
std::vector<double> base_weights(Rounds rounds) {
  std::vector<double> weights(rounds.size());
  double age = 1.0;
  for (std::size_t i = rounds.size(); i-- > 0; age *= kDecay) {
    const double scale = std::max(rounds[i].seconds, SpeedEstimator::kFastest);
    weights[i] = age / (scale * scale);
  }
  return weights;
}

bool varied(Rounds rounds) {
  double weight = 1.0;
  double sum = 0.0;
  double steps = 0.0;
  double squares = 0.0;
  for (std::size_t i = rounds.size(); i-- > 0; weight *= kDecay) {
    sum += weight;
    steps += weight * rounds[i].steps;
    squares += weight * rounds[i].steps * rounds[i].steps;
  }
  const double mean = steps / sum;
  return squares / sum - mean * mean > kVaried * kVaried * mean * mean;
}

/// Weighted least squares, with neither coefficient negative.
RoundTime weighted_fit(Rounds rounds, const std::vector<double>& weights) {
  double w = 0.0;
  double wx = 0.0;
  double wy = 0.0;
  double wxx = 0.0;
  double wxy = 0.0;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    w += weights[i];
    wx += weights[i] * rounds[i].steps;
    wy += weights[i] * rounds[i].seconds;
    wxx += weights[i] * rounds[i].steps * rounds[i].steps;
    wxy += weights[i] * rounds[i].steps * rounds[i].seconds;
  }
  const double determinant = w * wxx - wx * wx;
  const RoundTime fit{.fixed = (wxx * wy - wx * wxy) / determinant,
                      .per_step = (w * wxy - wx * wy) / determinant};
  if (!(fit.fixed >= 0.0)) return {0.0, wxy / wxx};
  if (!(fit.per_step >= 0.0)) return {wy / w, 0.0};
  return fit;
}

/// Huber's weights: rounds whose error is usual count in full.
void lessen_outliers(Rounds rounds, const RoundTime& fit, std::vector<double>& weights) {
  std::vector<double> errors(rounds.size());
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    errors[i] = std::abs(relative_error(fit, rounds[i]));
  }
  std::vector<double> sorted = errors;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double usual = 1.345 * 1.4826 * std::max(*middle, 1e-6);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    if (errors[i] > usual) weights[i] *= usual / errors[i];
  }
}

RoundTime robust_fit(Rounds rounds) {
  const std::vector<double> base = base_weights(rounds);
  RoundTime fit = weighted_fit(rounds, base);
  for (int i = 0; i < kIterations; ++i) {
    std::vector<double> weights = base;
    lessen_outliers(rounds, fit, weights);
    fit = weighted_fit(rounds, weights);
  }
  return fit;
}

/// Both newest rounds are far off on the same side of what the older ones say.
bool has_changed(Rounds rounds) {
  const Rounds older = rounds.first(rounds.size() - 2);
  if (older.size() < kFewest || !varied(older)) return false;
  const RoundTime fit = robust_fit(older);
  const double last = relative_error(fit, rounds[rounds.size() - 1]);
  const double before = relative_error(fit, rounds[rounds.size() - 2]);
  return std::min(std::abs(last), std::abs(before)) > kContradiction && last * before > 0.0;
}

}  // namespace

std::optional<RoundTime> affine_fit(Rounds rounds) {
  if (rounds.size() < kFewest || has_changed(rounds) || !varied(rounds)) return std::nullopt;
  const RoundTime fit = robust_fit(rounds);
  // Squares of extreme durations may have left the range of numbers.
  if (!std::isfinite(fit.fixed) || !std::isfinite(fit.per_step)) return std::nullopt;
  return fit;
}

}  // namespace convoy::scheduler::internal
