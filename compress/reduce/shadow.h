// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace convoy::compress {

/// How close the compressed mean of one layer has come to the dense one, over all shadow steps.
struct ShadowRow {
  std::string name;
  double cosine = 0.0;          ///< of the angle between the two; 1: the same direction
  double norm_ratio = 0.0;      ///< ||compressed|| / ||dense||
  double relative_error = 0.0;  ///< ||compressed - dense|| / ||dense||
};

/// Compares two streams of gradients, layer by layer; sums in float64.
class ShadowComparison {
 public:
  void add(const std::string& layer, std::span<const float> dense,
           std::span<const float> compressed);
  /// In the order of names. A layer whose dense gradient was always zero has ratios of 0.
  [[nodiscard]] std::vector<ShadowRow> rows() const;

 private:
  struct Sums {
    double dense = 0.0;
    double compressed = 0.0;
    double product = 0.0;
    double difference = 0.0;
  };
  std::map<std::string, Sums> sums_;
};

}  // namespace convoy::compress
