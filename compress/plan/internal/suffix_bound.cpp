// SPDX-License-Identifier: Apache-2.0
#include "compress/plan/internal/suffix_bound.h"

namespace convoy::compress::internal {

SuffixBound::SuffixBound(const Problem& problem, const std::vector<std::size_t>& layers)
    : open_(problem.layers.size(), false), steps_(hull_steps(problem)) {
  for (const std::size_t layer : layers) open_[layer] = true;
  std::erase_if(steps_, [&](const Step& step) { return !open_[step.layer]; });
  add_up(problem);
}

void SuffixBound::decide(const Problem& problem, std::size_t layer) {
  open_[layer] = false;
  std::erase_if(steps_, [&](const Step& step) { return step.layer == layer; });
  add_up(problem);
}

void SuffixBound::add_up(const Problem& problem) {
  error_after_.assign(steps_.size() + 1, 0.0);
  bytes_after_.assign(steps_.size() + 1, 0.0);
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (!open_[i]) continue;
    error_after_.front() += problem.layers[i].back().error;
    bytes_after_.back() += problem.layers[i].front().bytes;
  }
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    error_after_[i + 1] = error_after_[i] + steps_[i].added_error;
  }
  for (std::size_t i = steps_.size(); i-- > 0;) {
    bytes_after_[i] = bytes_after_[i + 1] + steps_[i].saved_bytes;
  }
}

void SuffixBound::write_levels(const Problem& problem, std::size_t taken,
                               std::vector<std::size_t>& levels) const {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (open_[i]) levels[i] = problem.layers[i].back().level;
  }
  for (std::size_t i = 0; i < taken; ++i) {
    const Step& step = steps_[i];
    levels[step.layer] = problem.layers[step.layer][step.option].level;
  }
}

}  // namespace convoy::compress::internal
