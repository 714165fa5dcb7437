// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "compress/codec/low_rank.h"
#include "tests/compress/codec/codec_kit.h"

namespace convoy::compress {

inline std::vector<float> random_values(std::int64_t count, std::uint64_t seed) {
  return normal_values(static_cast<std::size_t>(count), seed);
}

/// A matrix whose singular values fall off roughly as 1, decay, decay^2, ...
inline std::vector<float> decaying_matrix(MatrixShape shape, double decay, std::uint64_t seed) {
  const std::int64_t terms = std::min(shape.rows, shape.columns);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (std::int64_t term = 0; term < terms; ++term) {
    const auto left = random_values(shape.rows, mix({seed, 2 * static_cast<std::uint64_t>(term)}));
    const auto right =
        random_values(shape.columns, mix({seed, 2 * static_cast<std::uint64_t>(term) + 1}));
    const auto weight = static_cast<float>(std::pow(decay, static_cast<double>(term)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += weight * left[i / right.size()] * right[i % right.size()];
    }
  }
  return values;
}

inline double squared_norm(std::span<const float> values) {
  double sum = 0.0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return sum;
}

}  // namespace convoy::compress
