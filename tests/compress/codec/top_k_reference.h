// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

namespace convoy::compress {

/// The indices, ascending, of the k largest magnitudes, lower indices first: by sorting everything.
inline std::vector<std::int64_t> largest_by_sorting(std::span<const float> values, std::int64_t k) {
  std::vector<std::int64_t> order(values.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::abs(values[static_cast<std::size_t>(a)]) >
           std::abs(values[static_cast<std::size_t>(b)]);
  });
  order.resize(static_cast<std::size_t>(k));
  std::sort(order.begin(), order.end());
  return order;
}

/// `values` with all but those at `kept` zero.
inline std::vector<float> only(std::span<const float> values, std::span<const std::int64_t> kept) {
  std::vector<float> out(values.size());
  for (const std::int64_t index : kept) {
    out[static_cast<std::size_t>(index)] = values[static_cast<std::size_t>(index)];
  }
  return out;
}

}  // namespace convoy::compress
