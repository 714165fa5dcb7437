// SPDX-License-Identifier: Apache-2.0
#include "trainer/privacy/noisy_sum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/errors.h"
#include "comm/values.h"
#include "trainer/privacy/normal.h"

namespace convoy::trainer::privacy {
namespace {

constexpr int kGridBits = 28;
constexpr double kMargin = 0x1.0p-20;  ///< far above what the rounding of a norm can be

/// To the nearest whole number, for magnitudes below 2^51; unlike std::nearbyint it vectorises.
inline double round_whole(double value) {
  constexpr double kMagic = 0x1.8p52;
  return (value + kMagic) - kMagic;
}

}  // namespace

NoisySum::NoisySum(std::int64_t numel, double clip, double sigma)
    : clip_(clip), sigma_(sigma), sum_(static_cast<std::size_t>(numel), 0.0) {
  require(std::isnormal(clip) && clip > 0.0, "NoisySum: clip must be a positive normal number");
  require(sigma >= 0.0 && sigma <= kMostSigma, "NoisySum: sigma must be in [0, 1e5]");
  grid_ = std::ldexp(1.0, std::ilogb(clip) - kGridBits);
  longest_ = clip * (1.0 - kMargin) - 0.5 * grid_ * std::sqrt(static_cast<double>(numel));
  require(std::isnormal(grid_) && longest_ > 0.0, "NoisySum: clip cannot be put on a grid");
}

void NoisySum::add(std::span<const float> values) {
  require(values.size() == sum_.size(), "NoisySum::add: another number of values");
  require(++count_ <= kMostVectors, "NoisySum::add: more vectors than a sum can hold exactly");
  double squares = 0.0;
  for (const float value : values) {
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  const double norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return;
  // Divided after scaling, by a power of two: that is exact.
  const double scale = std::min(1.0, longest_ / norm);
  const double per_grid = 1.0 / grid_;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum_[i] += round_whole(static_cast<double>(values[i]) * scale * per_grid);
  }
}

void NoisySum::add_noise(Entropy& entropy) {
  std::array<double, 512> normal{};
  const double deviation = sigma_ * (clip_ / grid_);
  for (std::size_t begin = 0; begin < sum_.size(); begin += normal.size()) {
    const std::size_t count = std::min(normal.size(), sum_.size() - begin);
    fill_normal(std::span(normal).first(count), entropy);
    for (std::size_t i = 0; i < count; ++i) {
      sum_[begin + i] += round_whole(normal[i] * deviation);
    }
  }
}

std::vector<double> NoisySum::release(Entropy& entropy, comm::Communicator* ranks) {
  if (sigma_ > 0.0 && (ranks == nullptr || ranks->rank() == 0)) add_noise(entropy);
  std::vector<double> sum = std::exchange(sum_, std::vector<double>(sum_.size(), 0.0));
  count_ = 0;
  if (ranks != nullptr && ranks->size() > 1) sum = comm::all_reduce_values(*ranks, std::move(sum));
  for (double& value : sum) value *= grid_;
  return sum;
}

}  // namespace convoy::trainer::privacy
