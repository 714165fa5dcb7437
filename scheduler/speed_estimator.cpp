// SPDX-License-Identifier: Apache-2.0
#include "scheduler/speed_estimator.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"
#include "scheduler/internal/affine_fit.h"

namespace convoy::scheduler {
namespace {

/// Rounds that the affine fit looks at. Their weights fall by internal::kDecay, so that older ones
/// would add next to nothing.
constexpr std::size_t kRemembered = 32;

}  // namespace

std::string_view to_text(SpeedModel model) {
  return model == SpeedModel::kRatio ? "ratio" : "affine";
}

void SpeedEstimator::add(Round round) {
  require(round.steps > 0.0 && round.seconds >= 0.0, "a round needs steps and a duration");
  const double measured = round.seconds / round.steps;
  // The order of operations is part of the specification of decisions.
  const double next = empty() ? measured : (1.0 - momentum_) * ratio_ + momentum_ * measured;
  ratio_ = std::max(next, kFastest);
  if (model_ == SpeedModel::kAffine) {
    if (recent_.size() == kRemembered) recent_.erase(recent_.begin());
    recent_.push_back(round);
  }
  estimate_anew();
}

RoundTime SpeedEstimator::estimate() const {
  require(!empty(), "the speed of a client that has not reported is not known");
  return estimate_;
}

void SpeedEstimator::estimate_anew() {
  estimate_ = {0.0, ratio_};
  if (const auto fit = internal::affine_fit(recent_)) {
    estimate_ = {fit->fixed, std::max(fit->per_step, kFastest)};
  }
}

void SpeedEstimator::restore(State state) {
  ratio_ = state.ratio;
  recent_ = std::move(state.recent);
  estimate_anew();
}

}  // namespace convoy::scheduler
