// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/errors.h"
#include "trainer/optim/optimizer.h"

namespace convoy::trainer {
namespace {

/// Sum of squares in float64. Eight running sums, added pairwise at the end: an order that vector
/// registers can follow and that depends on the number of values only.
template <typename T>
double sum_of_squares(const T* values, std::int64_t count) {
  constexpr std::int64_t kLanes = 8;
  std::array<double, kLanes> sums{};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const auto value = static_cast<double>(values[i + lane]);
      sums[static_cast<std::size_t>(lane)] += value * value;
    }
  }
  for (std::size_t lane = 0; i < count; ++i, ++lane) {
    const auto value = static_cast<double>(values[i]);
    sums[lane] += value * value;
  }
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

double sum_of_squares(const torch::Tensor& gradient) {
  if (!gradient.is_cpu()) return gradient.to(torch::kDouble).square().sum().item<double>();
  if (gradient.scalar_type() == torch::kFloat) {
    const auto values = gradient.contiguous();
    return sum_of_squares(values.data_ptr<float>(), values.numel());
  }
  const auto values = gradient.to(torch::kDouble).contiguous();
  return sum_of_squares(values.data_ptr<double>(), values.numel());
}

}  // namespace

double clip_gradients(const std::vector<NamedTensor>& parameters, double max_norm) {
  require(max_norm > 0.0, "clip_gradients needs max_norm > 0");
  const torch::NoGradGuard no_grad;
  double sum = 0.0;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) sum += sum_of_squares(parameter.grad());
  }
  const double norm = std::sqrt(sum);
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.grad().defined()) parameter.grad().mul_(max_norm / norm);
  }
  return norm;
}

}  // namespace convoy::trainer
