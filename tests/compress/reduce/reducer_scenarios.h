// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"

namespace convoy::tests {

// What must hold for every family on any backend. Run on all ranks of a communicator.

/// Over many steps: sum of what was applied + mean residual = sum of true means, to float32
/// rounding.
void expect_nothing_is_lost(comm::Communicator& communicator);
/// After every step all ranks hold the same bits, whatever the buckets.
void expect_equal_bits(comm::Communicator& communicator);
/// Layers that no family may touch get the dense average, to the bit.
void expect_dense_where_asked(comm::Communicator& communicator);
/// discard_step() leaves state and following steps as if the step had not been.
void expect_discard_leaves_no_trace(comm::Communicator& communicator);
/// Steps, save, load into a new reducer, steps = all steps at once, at every place of a plan's
/// life.
/// wire_bytes() against what the communicator has counted.
void expect_stated_bytes_are_sent(comm::Communicator& communicator);
void expect_resume_is_exact(comm::Communicator& communicator);
/// quantize is exact for constant tensors, at every width.
void expect_constants_are_exact(comm::Communicator& communicator);
/// quantize of (rank + 1) * arange stays within the bound that its step size gives.
void expect_ranges_within_bound(comm::Communicator& communicator);
/// power_sgd at full rank is exact to float32.
void expect_full_rank_is_exact(comm::Communicator& communicator);
/// Plans come when they must, are the same on all ranks, are never larger than uniform, and can be
/// replayed to the bit.
void expect_plans_follow_the_schedule(comm::Communicator& communicator);

}  // namespace convoy::tests
