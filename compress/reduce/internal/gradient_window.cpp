// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/gradient_window.h"

#include <utility>

#include "base/errors.h"
#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {

void GradientWindow::add(const std::string& layer, std::span<const float> gradient) {
  step_is_open_ = true;
  auto& sum = sums_[layer];
  if (sum.empty()) executor_->fill_zero(sum.resize(*executor_, gradient.size()));
  require_config(sum.size() == gradient.size(),
                 "the window of " + layer + " is of another size than the layer");
  executor_->add(gradient, sum.values());
}

void GradientWindow::commit() {
  if (std::exchange(step_is_open_, false)) ++steps_;
}

void GradientWindow::discard() {
  if (!step_is_open_) return;
  steps_ = 0;
  step_is_open_ = false;
  sums_.clear();
}

GradientSums GradientWindow::take() {
  steps_ = 0;
  step_is_open_ = false;
  GradientSums sums;
  for (const auto& [name, sum] : sums_) sums[name] = sum.to_host(*executor_);
  sums_.clear();
  return sums;
}

void GradientWindow::save(ReducerState& state) const {
  for (const auto& [name, sum] : sums_) state.arrays["window/" + name] = sum.to_host(*executor_);
}

void GradientWindow::load(const ReducerState& state, std::int64_t steps) {
  sums_.clear();
  step_is_open_ = false;
  steps_ = steps;
  for (const auto& [name, sum] : entries_of(state, "window/")) {
    sums_[name].assign(*executor_, *sum);
  }
}

}  // namespace convoy::compress::internal
