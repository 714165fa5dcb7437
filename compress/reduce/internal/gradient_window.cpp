// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/gradient_window.h"

#include "compress/reduce/finite.h"
#include "compress/reduce/internal/state_entries.h"

namespace convoy::compress::internal {

void GradientWindow::add(const std::string& layer, std::span<const float> gradient) {
  if (!all_finite(gradient)) return;
  auto& sum = sums_[layer];
  sum.resize(gradient.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
}

void GradientWindow::save(ReducerState& state) const {
  for (const auto& [name, sum] : sums_) state.arrays["window/" + name] = sum;
}

void GradientWindow::load(const ReducerState& state) {
  sums_.clear();
  for (const auto& [name, sum] : entries_of(state, "window/")) sums_[name] = *sum;
}

}  // namespace convoy::compress::internal
