// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/internal/dirichlet.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"

namespace convoy::trainer::internal {
namespace {

/// Every draw is accepted with a probability above 0.95: these many are refused in no lifetime.
constexpr int kMostDraws = 64;

/// For shape >= 1.
double gamma_variate(double shape, Random& random) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (int draw = 0; draw < kMostDraws; ++draw) {
    const double x = random.normal();
    const double root = 1.0 + c * x;
    const double v = root * root * root;
    const double u = 1.0 - random.uniform();  // never 0
    if (v > 0.0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
  return d;
}

}  // namespace

double log_gamma_variate(double shape, Random& random) {
  constexpr double kLeastShape = 1e-300;  // below it the logarithm itself would overflow
  require(shape > 0.0, "log_gamma_variate: shape must be positive");
  shape = std::max(shape, kLeastShape);
  if (shape >= 1.0) return std::log(gamma_variate(shape, random));
  const double larger = std::log(gamma_variate(shape + 1.0, random));
  return larger + std::log(1.0 - random.uniform()) / shape;
}

std::vector<double> dirichlet(std::span<const double> alphas, Random& random) {
  std::vector<double> shares;
  for (const double alpha : alphas) shares.push_back(log_gamma_variate(alpha, random));
  const double largest = *std::max_element(shares.begin(), shares.end());
  for (double& share : shares) share = std::exp(share - largest);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);  // at least 1
  for (double& share : shares) share /= sum;
  return shares;
}

std::vector<std::int64_t> largest_remainders(std::int64_t total, std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  require(sum > 0.0, "largest_remainders: no weight is positive");
  std::vector<std::int64_t> parts;
  std::vector<double> remainders;
  for (const double weight : weights) {
    const double wanted = static_cast<double>(total) * (weight / sum);
    parts.push_back(static_cast<std::int64_t>(wanted));
    remainders.push_back(wanted - std::floor(wanted));
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return remainders[a] > remainders[b]; });
  std::int64_t left = total - std::reduce(parts.begin(), parts.end());
  for (std::size_t i = 0; left > 0; i = (i + 1) % order.size(), --left) ++parts[order[i]];
  for (std::size_t i = 0; left < 0; i = (i + 1) % order.size()) {  // rounding of the division
    if (parts[order[i]] > 0) --parts[order[i]], ++left;
  }
  return parts;
}

}  // namespace convoy::trainer::internal
