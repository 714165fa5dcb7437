// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "comm/communicator.h"

namespace convoy::tests {

/// Trains on all ranks of `world` with 8 samples each and, in this process alone, on one rank with
/// 8 * world.size(); expects the same parameters after 20 steps: ||a - b|| / ||b|| <= 1e-5 for each
/// parameter tensor. A network without BatchNorm. Collective.
void expect_equals_one_rank(comm::Communicator& world);

/// The same with two BatchNorm layers whose statistics are taken over all ranks. The network is
/// smooth: where a ReLU sees a value near zero, one rounding error flips a whole gradient, and
/// equality to 1e-5 would depend on luck.
void expect_batch_norm_equals_one_rank(comm::Communicator& world);

}  // namespace convoy::tests
