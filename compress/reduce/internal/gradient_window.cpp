// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/gradient_window.h"

#include <utility>

#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {

void GradientWindow::add(const std::string& layer, std::span<const float> gradient) {
  step_is_open_ = true;
  auto& sum = sums_[layer];
  sum.resize(gradient.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
}

void GradientWindow::commit() {
  if (std::exchange(step_is_open_, false)) ++steps_;
}

void GradientWindow::discard() {
  if (step_is_open_) (void)take();
}

GradientSums GradientWindow::take() {
  steps_ = 0;
  step_is_open_ = false;
  return std::exchange(sums_, {});
}

void GradientWindow::save(ReducerState& state) const {
  for (const auto& [name, sum] : sums_) state.arrays["window/" + name] = sum;
}

void GradientWindow::load(const ReducerState& state, std::int64_t steps) {
  sums_.clear();
  step_is_open_ = false;
  steps_ = steps;
  for (const auto& [name, sum] : entries_of(state, "window/")) sums_[name] = *sum;
}

}  // namespace convoy::compress::internal
