// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/gradient_window.h"

#include <utility>

#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {

void GradientWindow::add(const std::string& layer, std::span<const float> gradient) {
  step_[layer].assign(gradient.begin(), gradient.end());
}

void GradientWindow::commit() {
  if (step_.empty()) return;
  for (auto& [layer, gradient] : step_) {
    auto& sum = sums_[layer];
    if (sum.empty()) {
      sum = std::move(gradient);
      continue;
    }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
  }
  step_.clear();
  ++steps_;
}

GradientSums GradientWindow::take() {
  steps_ = 0;
  return std::exchange(sums_, {});
}

void GradientWindow::save(ReducerState& state) const {
  for (const auto& [name, sum] : sums_) state.arrays["window/" + name] = sum;
}

void GradientWindow::load(const ReducerState& state, std::int64_t steps) {
  sums_.clear();
  step_.clear();
  steps_ = steps;
  for (const auto& [name, sum] : entries_of(state, "window/")) sums_[name] = *sum;
}

}  // namespace convoy::compress::internal
