// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// Sums of gradients by layer name.
using GradientSums = std::map<std::string, std::vector<float>>;

/// Adds up this rank's gradients, as they are before compression, over a window of steps. Holds
/// memory only while a window is open.
class GradientWindow {
 public:
  /// A gradient that is not finite is left out: its step is not applied either.
  void add(const std::string& layer, std::span<const float> gradient);
  /// The sums; the window is empty then.
  [[nodiscard]] GradientSums take() { return std::exchange(sums_, {}); }
  void save(ReducerState& state) const;
  void load(const ReducerState& state);

 private:
  GradientSums sums_;
};

}  // namespace convoy::compress::internal
