// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/speed_estimator.h"

namespace convoy::scheduler {

/// Deals `total` samples out to workers that begin together, so that the last one is through as
/// early as can be. Every worker gets at least one. Ties: the worker with the lower index.
/// @param workers  what n samples take each of them; per_step positive.
/// @return [workers] samples; they add up to `total`. Pure; O(total log(workers)).
/// @throws ContractError if there are more workers than samples, or none.
[[nodiscard]] std::vector<std::int64_t> work_shares(std::int64_t total,
                                                    std::span<const RoundTime> workers);

/// Seconds until the last worker is through.
[[nodiscard]] double makespan(std::span<const std::int64_t> shares,
                              std::span<const RoundTime> workers);

}  // namespace convoy::scheduler
