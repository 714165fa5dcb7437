// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/shadow.h"

#include <cmath>

namespace convoy::compress {

void ShadowComparison::add(const std::string& layer, std::span<const float> dense,
                           std::span<const float> compressed) {
  Sums& sums = sums_[layer];
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const auto d = static_cast<double>(dense[i]);
    const auto c = static_cast<double>(compressed[i]);
    sums.dense += d * d;
    sums.compressed += c * c;
    sums.product += c * d;
    sums.difference += (c - d) * (c - d);
  }
}

std::vector<ShadowRow> ShadowComparison::rows() const {
  const auto ratio = [](double a, double b) { return b > 0.0 ? a / b : 0.0; };
  std::vector<ShadowRow> rows;
  for (const auto& [name, sums] : sums_) {
    rows.push_back({name, ratio(sums.product, std::sqrt(sums.dense * sums.compressed)),
                    std::sqrt(ratio(sums.compressed, sums.dense)),
                    std::sqrt(ratio(sums.difference, sums.dense))});
  }
  return rows;
}

}  // namespace convoy::compress
