// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/shadow.h"

#include <cmath>
#include <utility>

namespace convoy::compress {

void ShadowComparison::add(const std::string& layer, std::span<const float> dense,
                           std::span<const float> compressed) {
  std::array<double, 4> sums{};
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const auto d = static_cast<double>(dense[i]);
    const auto c = static_cast<double>(compressed[i]);
    sums[0] += d * d;
    sums[1] += c * c;
    sums[2] += c * d;
    sums[3] += (c - d) * (c - d);
  }
  step_[layer] = sums;
}

void ShadowComparison::commit() {
  for (const auto& [layer, step] : step_) {
    auto& sums = sums_[layer];
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += step[i];
  }
  step_.clear();
}

void ShadowComparison::load(ShadowSums sums) {
  sums_ = std::move(sums);
  step_.clear();
}

std::vector<ShadowRow> ShadowComparison::rows() const {
  const auto ratio = [](double a, double b) { return b > 0.0 ? a / b : 0.0; };
  std::vector<ShadowRow> rows;
  for (const auto& [name, sums] : sums_) {
    const auto& [dense, compressed, product, difference] = sums;
    rows.push_back({name, ratio(product, std::sqrt(dense * compressed)),
                    std::sqrt(ratio(compressed, dense)), std::sqrt(ratio(difference, dense))});
  }
  return rows;
}

}  // namespace convoy::compress
