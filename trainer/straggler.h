// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "comm/communicator.h"
#include "trainer/metrics/metrics.h"
#include "trainer/step_runner.h"

namespace convoy::trainer {

/// The rank that computed longest, and how long the others waited for it: by how much less they
/// computed, but no longer than they waited at all. The lowest of equal ranks.
/// @param own  seconds of each rank that depend on it alone. @param exposed  that it waited.
/// @return seconds of the same kind. Pure. At least two ranks.
[[nodiscard]] Straggler slowest_of(std::span<const double> own, std::span<const double> exposed);

/// The same of all ranks, by step. @param sums  of this rank over `steps` steps. Collective: an
/// all-gather of 16 bytes.
[[nodiscard]] Straggler find_straggler(comm::Communicator& communicator, const StepSeconds& sums,
                                       std::int64_t steps);

}  // namespace convoy::trainer
