// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compress/reduce/array.h"
#include "compress/reduce/reducer.h"

namespace convoy::compress::internal {

/// Sums of gradients by layer name, on the host.
using GradientSums = std::map<std::string, std::vector<float>>;

/// Adds up this rank's gradients, as they are before compression, over a window of steps. A step
/// that is discarded takes those before it along, on all ranks alike: to keep them apart would
/// cost a second gradient of memory. Holds memory only while a window is open.
class GradientWindow {
 public:
  /// Gradients lie where `executor` works.
  explicit GradientWindow(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  void add(const std::string& layer, std::span<const float> gradient);
  void commit();
  void discard();
  /// Steps that count; the same on all ranks.
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  /// The sums; the window is empty then.
  [[nodiscard]] GradientSums take();
  void save(ReducerState& state) const;
  void load(const ReducerState& state, std::int64_t steps);

 private:
  std::shared_ptr<Executor> executor_;  // shared with the Reducer
  std::map<std::string, Array<float>> sums_;
  std::int64_t steps_ = 0;
  bool step_is_open_ = false;  // its gradients are among the sums already
};

}  // namespace convoy::compress::internal
