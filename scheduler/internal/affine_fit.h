// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "scheduler/speed_estimator.h"

namespace convoy::scheduler::internal {

/// Weight of a round relative to the next newer one.
inline constexpr double kDecay = 0.85;

/// Duration as fixed + per_step * steps, both not negative: iteratively re-weighted least squares
/// of relative errors, newer rounds counting for more and outliers (Huber) for less. Where the two
/// newest rounds contradict all older ones, only they count. O(rounds).
/// @param rounds  oldest first.
/// @return nothing while steps have hardly varied, or fewer than three rounds agree.
[[nodiscard]] std::optional<RoundTime> affine_fit(std::span<const SpeedEstimator::Round> rounds);

}  // namespace convoy::scheduler::internal
