// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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

/// By layer: ||dense||^2, ||compressed||^2, their product, ||compressed - dense||^2.
using ShadowSums = std::map<std::string, std::array<double, 4>>;

/// Compares two streams of gradients, layer by layer, in float64. A step counts when committed.
class ShadowComparison {
 public:
  void add(const std::string& layer, std::span<const float> dense,
           std::span<const float> compressed);
  void commit();
  void discard() { step_.clear(); }
  /// In the order of names. A layer whose dense gradient was always zero has ratios of 0.
  [[nodiscard]] std::vector<ShadowRow> rows() const;

  [[nodiscard]] const ShadowSums& sums() const { return sums_; }
  void load(ShadowSums sums);

 private:
  ShadowSums sums_;
  ShadowSums step_;
};

}  // namespace convoy::compress
