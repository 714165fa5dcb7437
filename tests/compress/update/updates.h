// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "base/random.h"
#include "compress/update/update_codec.h"

namespace convoy::tests {

/// Layers of which "fc.weight" and "conv.weight" are compressed.
inline std::vector<compress::UpdateLayer> update_layers() {
  return {{"conv.weight", {16, 3, 3, 3}, 432},
          {"conv.bias", {16}, 16},
          {"fc.weight", {40, 50}, 2000},
          {"fc.bias", {40}, 40},
          {"head.weight", {10, 40}, 400}};
}

inline compress::CompressionConfig update_config(const std::string& family, double level) {
  compress::CompressionConfig config;
  config.family = family;
  config.level = level;
  config.policy = "uniform";
  config.min_numel = 64;
  config.group = 64;
  config.exclude = {"head.*"};
  return config;
}

/// Normal values; the layers differ in scale, as those of networks do.
inline std::vector<float> random_update(std::uint64_t seed, double scale = 1.0) {
  Random random({seed, 77});
  std::vector<float> values;
  double layer_scale = scale;
  for (const auto& layer : update_layers()) {
    for (std::int64_t i = 0; i < layer.numel; ++i) {
      values.push_back(static_cast<float>(layer_scale * random.normal()));
    }
    layer_scale *= 0.4;
  }
  return values;
}

inline std::vector<float> decoded(const compress::UpdateCodec& codec,
                                  std::span<const std::byte> payload) {
  std::vector<float> values(static_cast<std::size_t>(codec.numel()));
  codec.add_decoded(payload, 1.0F, values);
  return values;
}

inline double squared_distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace convoy::tests
