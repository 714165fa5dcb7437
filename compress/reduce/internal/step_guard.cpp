// SPDX-License-Identifier: Apache-2.0
#include "compress/reduce/internal/step_guard.h"

#include <algorithm>

#include "base/errors.h"

namespace convoy::compress::internal {
namespace {

/// Steps of a trial; the first is not measured, it pays what is owed or fills caches.
constexpr std::int64_t kTrial = 4;
/// Steps that the present kind is measured over; their median counts.
constexpr std::size_t kMemory = 15;
constexpr std::size_t kFewest = 3;
/// So much faster must the other kind be, to win a trial, and to win at once.
constexpr double kMargin = 0.97;
constexpr double kClearly = 0.85;
/// So much slower it is hopeless for now.
constexpr double kHopeless = 1.15;
constexpr std::int64_t kRarest = 16;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

StepGuard::StepGuard(std::int64_t first, std::int64_t every) : every_(every) {
  require(every > 0, "StepGuard: every must be positive");
  state_ = {.next_trial = first, .interval = every};
}

void StepGuard::load(const State& state) {
  state_ = state;
  trying_ = false;
  present_.clear();
  other_.clear();
}

bool StepGuard::begin_step(std::int64_t step, double seconds, double dense_costs,
                           const Agree& agree) {
  auto& measured = trying_ ? other_ : present_;
  if (seconds > 0.0) measured.push_back(seconds);
  if (!trying_ && present_.size() > kMemory) present_.erase(present_.begin());
  if (trying_ && step >= trial_ends_) {
    trying_ = false;
    other_.erase(other_.begin());  // the first
    decide(step, agree(median(present_)), agree(median(other_)));
  } else if (!trying_ && step >= state_.next_trial && present_.size() >= kFewest) {
    const bool hopeless = !state_.dense && dense_costs > agree(median(present_)) / 2;
    if (hopeless) {
      postpone(step, 4);
    } else {
      trying_ = true;
      trial_ends_ = step + kTrial;
      other_.clear();
    }
  }
  return state_.dense != trying_;
}

void StepGuard::decide(std::int64_t step, double present, double other) {
  if (other >= present * kMargin) {
    state_.losses = 0;
    return postpone(step, other > present * kHopeless ? 4 : 2);
  }
  ++state_.losses;
  state_.interval = every_;
  if (state_.losses == 1 && other > present * kClearly) {
    state_.next_trial = step + std::max<std::int64_t>(every_ / 4, kTrial);
    return;
  }
  state_.dense = !state_.dense;
  state_.losses = 0;
  state_.next_trial = step + every_;
  present_ = std::move(other_);
}

void StepGuard::postpone(std::int64_t step, std::int64_t factor) {
  state_.interval = std::min(state_.interval * factor, every_ * kRarest);
  state_.next_trial = step + state_.interval;
}

}  // namespace convoy::compress::internal
